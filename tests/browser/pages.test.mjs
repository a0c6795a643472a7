// SPDX-License-Identifier: MIT
//
// pages.test.mjs - the ticker and the inspector, and how they look

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { everyLook } from './looks.mjs';
import { Site } from './site.mjs';
import { ROOT, binary } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';
import { until } from '../lib/wait.mjs';

const NASTY = `</script><script>alert(1)</script>"'\\ & 你好 \u2028 <b>`;

let site;

/* Each page begins with nothing, not with what was said before it. */
before(async () => { site = await Site.open({ props: { 'history.max': 0 } }); });
after(() => site?.close());

/* conf/demo/quotes | pushlet-publish --xml, while work() runs */
async function withQuotes(work) {
	const quotes = spawn(join(ROOT, 'conf/demo/quotes'),
		{ stdio: ['ignore', 'pipe', 'inherit'], detached: true });
	const publish = spawn(binary('pushlet-publish'),
		['-n', site.lab.segment, '--xml'],
		{ stdio: ['pipe', 'inherit', 'inherit'] });
	const ended = once(publish, 'exit');

	quotes.stdout.pipe(publish.stdin);
	try {
		await work();
	} finally {
		process.kill(-quotes.pid);	/* awk and its sleep */
	}
	assert.deepEqual(await ended, [0, null], 'all that it read was good');
}

describe('ticker', () => {
	const price = (symbol, value, open) => site.lab.publish(`/stocks/${symbol}`,
		{ symbol, name: `${symbol} & Co`, price: value, open });
	const row = (page, symbol) => page.locator('#board tr',
		{ hasText: `${symbol} & Co` });

	it('shows a price when it is published, and where it went', async () => {
		const page = await site.page('examples/ticker.html');

		await page.locator('#status[data-state=live]').waitFor();
		await price('ZZZ', '12.50', '12.00');
		await row(page, 'ZZZ').locator('.change.up').waitFor();
		assert.deepEqual((await row(page, 'ZZZ').locator('td').allTextContents())
			.slice(0, 3), ['ZZZZZZ & Co', '12.50', '+4.17 %▲ +0.50']);
		await price('ZZZ', '11.40', '12.00');
		await row(page, 'ZZZ').locator('.change.down').waitFor();
		await row(page, 'ZZZ').locator('.price .fell').waitFor();
		assert.equal(await row(page, 'ZZZ').locator('.change').textContent(),
			'−5.00 %▼ −0.60');
		assert.match(await row(page, 'ZZZ').locator('.line').getAttribute('d'),
			/^M[\d.]+ 5\.0L100\.0 95\.0$/);
		assert.equal(await page.textContent('#mean'), '−5.00 %');

		await price('AAA', '1.00', '1.00');
		await row(page, 'AAA').waitFor();
		assert.deepEqual(await page.locator('#board .share b').allTextContents(),
			['AAA', 'ZZZ']);
		await page.context().close();
	});

	it('is fed by conf/demo/quotes, in every look', () => withQuotes(() =>
		everyLook(site, 'examples/ticker.html', async (page) => {
			const lines = () => page.locator('.line').evaluateAll((all) =>
				all.map((line) => line.getAttribute('d')));
			const points = (all) => all.join().match(/[ML]/g)?.length ?? 0;

			await page.locator('.share b').nth(11).waitFor();
			const seen = points(await lines());
			await until('twelve more quotes',
				async () => points(await lines()) >= seen + 12);
			assert.equal(await page.locator('.share b').count(), 12);
			await page.getByText('Luna & Sons', { exact: true }).waitFor();
		})));
});

describe('inspector', () => {
	const radio = (page, name) => page.getByRole('radio', { name, exact: true });
	const part = (page, name) => page.locator('.connection').filter(
		{ has: page.getByRole('heading', { name, exact: true }) });
	const rows = (page, name, type) =>
		part(page, name).locator(`[data-type="${type}"]`);
	const field = (page, name) => page.locator(`#fields [name=${name}]`);

	const open = (setting, options) =>
		site.page(`examples/inspector.html#${setting}`, options);

	async function send(page, command, to, fields = {}) {
		await radio(page, command).check();
		await radio(page, to).check();
		for (const [name, value] of Object.entries(fields))
			await field(page, name).fill(value);
		await page.click('#send');
	}

	async function sendText(page, to, subject, text) {
		await radio(page, 'publish').check();
		await page.locator('.own .value').fill(text);
		await send(page, 'publish', to, { p_subject: subject });
	}

	/* The fields of a row, as they are when it is opened. */
	async function opened(row) {
		await row.locator('summary').click();
		await row.locator('tr').first().waitFor();
		return Object.fromEntries(await row.locator('tr').evaluateAll((all) =>
			all.map((tr) => [...tr.cells].map((cell) => cell.textContent))));
	}

	const listening = (page, name) =>
		part(page, name).locator('.status[data-state=live]').waitFor();

	const FORMATS = ['xml', 'xml-strict', 'js', 'json', 'sse', 'multipart'];
	for (const format of FORMATS)
		for (const [mode, transport] of [['stream', 'fetch'], ['pull', 'XHR']])
			it(`shows what is published: ${format}, ${mode}, ${transport}`, async () => {
				const page = await open([format, mode, transport].join('.'));

				await send(page, 'join-listen', 'A', { p_subject: '/here' });
				await rows(page, 'A', 'join-listen-ack').waitFor();
				await sendText(page, 'A', '/here/it is', NASTY);
				const event = await opened(rows(page, 'A', 'data').first());
				assert.equal(event.p_subject, '/here/it is');
				assert.equal(event.text, NASTY);
				await rows(page, 'A', 'data').getByText('after publish').waitFor();
				assert.equal(await rows(page, 'A', 'publish-ack').count(), 1);

				await radio(page, 'raw').check();
				await rows(page, 'A', 'data').first().waitFor({ state: 'hidden' });
				await part(page, 'A').locator('.chunk pre',
					{ hasText: 'publish-ack' }).first().waitFor();
				await send(page, 'leave', 'A');
				await part(page, 'A').getByText('Left', { exact: true }).waitFor();
				await page.context().close();
			});

	it('sends every command, by GET, form and XML', async () => {
		const page = await open('xml.stream.fetch');

		for (const how of ['GET', 'POST form', 'POST XML']) {
			await page.selectOption('#how', how);
			await page.click('#clear');
			for (const [command, fields] of [['join', {}],
				['listen', { p_subject: '/a', p_label: 'x&y' }],
				['subscribe', { p_subject: '/b' }], ['hb', {}],
				['publish', { p_subject: '/a' }], ['unsubscribe', {}],
				['leave', {}]]) {
				await send(page, command, 'A', fields);
				await rows(page, 'A', `${command}-ack`).first().waitFor();
			}
			const event = await opened(rows(page, 'A', 'data').first());
			assert.equal(event.p_label, 'x&y');
		}
		await send(page, 'join', 'A');
		await radio(page, 'other').check();
		await send(page, 'other', 'A', { p_event: 'frobnicate',
			p_id: await part(page, 'A').locator('.id').textContent() });
		await rows(page, 'A', 'nack').waitFor();
		await page.context().close();
	});

	it('compares connections, filters, pauses and clears', async () => {
		const page = await open('xml.stream.fetch,sse.stream.fetch,json.poll.XHR');
		const visible = (name, type) => rows(page, name, type)
			.filter({ visible: true }).count();

		await send(page, 'join-listen', 'all', { p_subject: '/many' });
		for (const name of ['A', 'B', 'C'])
			await rows(page, name, 'join-listen-ack').waitFor();
		await sendText(page, 'B', '/many', 'first');
		for (const name of ['A', 'B', 'C'])
			await rows(page, name, 'data').getByText('after publish').waitFor();
		assert.equal((await opened(rows(page, 'B', 'data'))).p_eid, '1');

		await page.fill('#filter', 'DATA text -second');
		assert.equal(await visible('A', 'join-listen-ack'), 0);
		assert.equal(await visible('A', 'data'), 1);
		await sendText(page, 'A', '/many', 'second');
		await rows(page, 'C', 'data').nth(1).waitFor({ state: 'attached' });
		assert.equal(await visible('C', 'data'), 1);
		await page.fill('#filter', '');
		assert.equal(await visible('C', 'data'), 2);

		await page.click('#pause');
		await sendText(page, 'A', '/many', 'third');
		await page.waitForFunction(() =>
			/\d\d+ new/.test(document.getElementById('pause').textContent));
		assert.equal(await rows(page, 'A', 'data').count(), 2);
		await page.click('#pause');
		await rows(page, 'A', 'data').nth(2).waitFor();
		await page.click('#pause');
		await page.click('#clear');
		assert.equal(await page.locator('.log li').count(), 0);
		await page.click('#pause');

		const known = async () => (await site.lab.sessions()).some((one) =>
			one.format === 'sse' && one.subjects.includes('/many'));

		assert.ok(await known());
		await part(page, 'B').getByTitle('Leave, and remove').click();
		assert.equal(await page.locator('.connection').count(), 2);
		await until('the session of B to be gone', async () => !await known());
		await page.context().close();
	});

	it('follows a refresh, or leaves that to its user', async () => {
		const page = await open('js.pull.fetch');

		await part(page, 'A').getByLabel('follow').uncheck();
		await send(page, 'join-listen', 'A', { p_subject: '/slow' });
		await part(page, 'A').locator('.end').waitFor();
		await sendText(page, 'A', '/slow', 'waits');
		await rows(page, 'A', 'publish-ack').waitFor();
		assert.equal(await rows(page, 'A', 'data').count(), 0);
		await send(page, 'refresh', 'A');
		await rows(page, 'A', 'data').waitFor();
		await part(page, 'A').getByLabel('follow').check();
		await send(page, 'refresh', 'A');
		await rows(page, 'A', 'refresh-ack').nth(2).waitFor();
		await page.context().close();
	});

	it('gives a curl command that does the same', async () => {
		const page = await open('json.pull.fetch');

		for (const how of ['GET', 'POST form', 'POST XML']) {
			await page.selectOption('#how', how);
			await send(page, 'join', 'A');
			await rows(page, 'A', 'join-ack').first().waitFor();
			await radio(page, 'publish').check();
			await page.locator('.own .value').fill(NASTY);
			const { stdout } = await run('sh',
				['-c', await page.textContent('#curl')]);
			assert.match(stdout, /^\[\{"p_event":"publish-ack"/);
			await page.click('#clear');
		}
		await page.context().close();
	});

	it('copies, saves and is cut off', async () => {
		const page = await open('json.stream.fetch', { acceptDownloads: true,
			permissions: ['clipboard-read', 'clipboard-write'] });
		const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

		await page.click('#copy');
		await page.getByRole('button', { name: 'Copied' }).waitFor();
		assert.equal(await clipboard(), await page.textContent('#curl'));
		await send(page, 'join-listen', 'A', { p_subject: '/copied' });
		await listening(page, 'A');
		const sent = part(page, 'A').locator('.sent').first();
		await sent.locator('summary').click();
		await sent.getByRole('button', { name: 'Copy as curl' }).click();
		await sent.getByRole('button', { name: 'Copied' }).waitFor();
		assert.match(await clipboard(), /^curl -N '.*p_event=join-listen/);
		await sendText(page, 'A', '/copied', NASTY);
		await rows(page, 'A', 'data').waitFor();

		await part(page, 'A').getByRole('button', { name: 'Cut' }).click();
		await part(page, 'A').locator('.end.fault').waitFor();
		await part(page, 'A').getByText('Broken', { exact: true }).waitFor();
		const [download] = await Promise.all([page.waitForEvent('download'),
			page.click('#save')]);
		const text = readFileSync(await download.path(), 'utf8');
		assert.match(text, /^connection A: json, stream, fetch\n/);
		for (const what of [JSON.stringify(NASTY), 'join-listen-ack',
			'cut by this page', 'HTTP 200'])
			assert.ok(text.includes(what), `${what} in ${text}`);
		await page.context().close();
	});

	it('looks as it should, in every look', () => withQuotes(() =>
		everyLook(site, 'examples/inspector.html', async (page) => {
			await send(page, 'join-listen', 'all');
			await listening(page, 'A');
			await rows(page, 'B', 'refresh-ack').first().waitFor();
			await sendText(page, 'A', '/demo/hello', 'Hello');
			await rows(page, 'B', 'data').getByText('after publish').waitFor();
		})));
});
