// SPDX-License-Identifier: MIT
//
// examples.test.mjs - the chat and the vmstat page do what they promise

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

describe('chat', () => {
	async function guest(name, query = '') {
		const page = await site.page(`examples/chat.html${query}`);

		await live(page);
		await page.fill('#nick', name);
		await page.press('#nick', 'Tab');
		await page.locator('.notice', { hasText: `${name} came in` }).waitFor();
		return page;
	}

	async function say(page, text) {
		await page.fill('#text', text);
		await page.press('#text', 'Enter');
	}

	/* The text of the newest bubble of a kind, once there are n of them. */
	async function bubble(page, kind, n) {
		const item = page.locator(`#talk .${kind} .text`).nth(n - 1);

		await item.waitFor();
		return item.evaluate((element) => element.textContent);
	}

	for (const query of ['', '?mode=pull'])
		it(`passes on what two browsers say (${query || 'stream'})`, async () => {
			const ann = await guest('Ann', query);
			const bob = await guest('Bøb <i>', query);
			const lines = ['Hello', '<script>alert(1)</script><img src=x onerror=alert(2)>',
				`"quotes" 'single' \\ & &amp; %41 + =`, '你好，世界 🙂',
				'first line\nsecond line', 'long '.repeat(700).trim()];

			for (const [i, line] of lines.entries()) {
				await say(ann, line);
				assert.equal(await bubble(bob, 'theirs', i + 1), line);
				assert.equal(await bubble(ann, 'mine', i + 1), line);
			}
			assert.equal(await bob.locator('.theirs.first b').first().textContent(),
				'Ann');
			await say(bob, 'And back');
			assert.equal(await bubble(ann, 'theirs', 1), 'And back');
			assert.equal(await ann.locator('.theirs.first b').textContent(),
				'Bøb <i>');
			await ann.locator('.pending').waitFor({ state: 'detached' });
			assert.equal(await ann.locator('#talk .mine').count(), lines.length);
		});

	it('shows what is published from a shell', async () => {
		const page = await guest('Cleo');

		await site.lab.publish('/chat/lobby', { nick: 'shell', text: 'from a shell' });
		assert.equal(await bubble(page, 'theirs', 1), 'from a shell');
	});
});

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
