// SPDX-License-Identifier: MIT
//
// examples.test.mjs - the start page and the vmstat page do what they promise

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { Site } from './site.mjs';
import { binary } from '../lib/paths.mjs';
import { LIMIT, within } from '../lib/wait.mjs';

let site;

before(async () => { site = await Site.open(); });
after(() => site?.close());

const live = (page) => page.locator('#status[data-state=live]').waitFor();

describe('vmstat', () => {
	it('shows each line when pushlet-publish --lines reads it', async () => {
		const page = await site.page('examples/vmstat.html');
		const child = spawn(binary('pushlet-publish'), ['-n', site.lab.segment,
			'--lines', 'line', '/system/vmstat'],
		{ stdio: ['pipe', 'inherit', 'inherit'] });
		const rows = page.locator('#rows tr:not(.empty):visible');

		try {
			await live(page);
			child.stdin.write('procs -----------memory---------- -cpu-\n');
			child.stdin.write(' r  b   swpd   free   us sy\n');
			for (let n = 1; n <= 5; n++) {
				child.stdin.write(` ${n}  0      0 123456   ${n}0  2\n`);
				await rows.nth(n - 1).waitFor();
				assert.deepEqual(await rows.nth(n - 1).locator('td')
					.allTextContents(),
				[String(n), '0', '0', '123456', `${n}0`, '2']);
			}
			assert.deepEqual(await page.locator('#names th').allTextContents(),
				['r', 'b', 'swpd', 'free', 'us', 'sy']);
			child.stdin.write('not figures: <b>&"\n');
			await page.getByText('not figures: <b>&"', { exact: true }).waitFor();
			child.stdin.end();
			const [status] = await within(once(child, 'exit'), LIMIT,
				() => 'pushlet-publish did not end with its input');
			assert.equal(status, 0);
		} finally {
			child.kill();
		}
	});
});

describe('the start page', () => {
	it('leads to all others', async () => {
		const page = await site.page('examples/index.html');

		for (const name of ['Monitor', 'Chat', 'Ticker', 'vmstat']) {
			await page.getByRole('heading', { name }).click();
			await live(page);
			await page.goBack();
		}
		await page.getByRole('heading', { name: 'Inspector' }).click();
		await page.getByRole('button', { name: 'Send to 2' }).waitFor();
	});
});
