/* SPDX-License-Identifier: MIT */
/*
 * pushlet.d.mts - where TypeScript looks for the types of pushlet.mjs: they are
 * those of pushlet.d.ts
 */
export * from './pushlet.js';
