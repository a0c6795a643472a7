/* SPDX-License-Identifier: MIT */
/*
 * timers.mjs - timers that also ring in hidden tabs
 *
 * Browsers slow the timers of hidden tabs down, but not those of workers.  Each
 * timer runs in both places, and the first that rings counts: a page may forbid
 * workers.
 */

const timers = new Map();
let lastTimer = 0, ticker;

function ring(id) {
	const timer = timers.get(id);
	cancel(id);
	if (timer)
		timer.f();
}

export function cancel(id) {
	if (timers.has(id))
		clearTimeout(timers.get(id).timeout);
	timers.delete(id);
}

function startTicker() {
	const code = 'onmessage=e=>{setTimeout(()=>postMessage(e.data[0]),e.data[1])}';
	try {
		ticker = new Worker(URL.createObjectURL(
			new Blob([code], { type: 'text/javascript' })));
		ticker.onmessage = (e) => ring(e.data);
		ticker.onerror = (e) => { e.preventDefault(); ticker = null; };
	} catch (e) {
		ticker = null;
	}
}

export function after(ms, f, useWorker) {
	const id = ++lastTimer;
	timers.set(id, { f, timeout: setTimeout(ring, ms, id) });
	if (useWorker && ticker === undefined)
		startTicker();
	if (useWorker && ticker)
		ticker.postMessage([id, ms]);
	return id;
}
