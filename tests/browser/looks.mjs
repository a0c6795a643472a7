// SPDX-License-Identifier: MIT
//
// looks.mjs - a page on a phone and on a desk, in light and in dark
//
//	await everyLook(site, 'examples/chat.html', async (page) => ...);
//
// Screenshots are left in $PUSHLET_BUILD/test-logs, for somebody to look at.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD } from '../lib/paths.mjs';

const SHOTS = join(BUILD, 'test-logs');
const LOOKS = [['light', 1280], ['light', 390], ['dark', 1280], ['dark', 390]];

/* A page in each look, when ready(page) says so: as wide as the window, and
 * its picture taken. */
export async function everyLook(site, path, ready) {
	mkdirSync(SHOTS, { recursive: true });
	for (const [colorScheme, width] of LOOKS) {
		const page = await site.page(path, { colorScheme,
			viewport: { width, height: width > 600 ? 900 : 844 } });
		const name = /([\w-]+)\.html/.exec(path)[1];

		await ready(page);
		assert.equal(await page.evaluate(() =>
			document.documentElement.scrollWidth), width);
		/* fullPage: true would scroll the logs to their beginning. */
		await page.setViewportSize({ width, height: await page.evaluate(() =>
			document.documentElement.scrollHeight) });
		await page.screenshot({
			path: join(SHOTS, `${name}-${colorScheme}-${width}.png`) });
		await page.context().close();
	}
}
