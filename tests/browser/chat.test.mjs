// SPDX-License-Identifier: MIT
//
// chat.test.mjs - people in a room: what they say, and who they are

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { everyLook } from './looks.mjs';
import { Site } from './site.mjs';

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
		await notice(page, new RegExp(`^Guest \\d+ is now ${name}`));
		return page;
	}

	const notice = (page, text) =>
		page.locator('.notice').getByText(text).first().waitFor();

	/* Waits until these are here, by name. */
	const here = (page, ...names) => page.waitForFunction((wanted) =>
		[...document.querySelectorAll('#who li')].map((li) => li.textContent)
			.sort().join() === wanted, names.sort().join(), { polling: 20 });

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

	for (const query of ['?room=two', '?room=pulled&mode=pull'])
		it(`passes on what two browsers say (${query})`, async () => {
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

	it('shows who is here, comes, is called otherwise and goes', async () => {
		const ann = await guest('Ann', '?room=small');
		const bob = await guest('Bob', '?room=small');
		const other = await guest('Eve', '?room=smaller');

		await here(ann, 'Ann', 'Bob');
		await here(bob, 'Ann', 'Bob');
		await here(other, 'Eve');
		assert.equal(await bob.textContent('#count'), '2');
		assert.deepEqual(await bob.locator('#who .self').allTextContents(), ['Bob']);
		await ann.fill('#nick', '<b>Anna</b>');
		await ann.press('#nick', 'Enter');
		await notice(bob, 'Ann is now <b>Anna</b>');
		await here(bob, '<b>Anna</b>', 'Bob');
		await site.release(ann);
		await ann.goto('about:blank');
		await notice(bob, '<b>Anna</b> left');
		await here(bob, 'Bob');
	});

	it('drops who has not been heard of for long', async () => {
		const ann = await guest('Ann', '?room=quiet');

		await ann.evaluate(() => onPresence({ p_subject: PRESENCE,
			action: 'hello', who: 'x', nick: 'Xaver', p_from: 'x' }));
		await here(ann, 'Ann', 'Xaver');
		await ann.evaluate(() => beat());
		await here(ann, 'Ann', 'Xaver');
		await ann.evaluate(() => { members.get('x').at -= GONE; beat(); });
		await notice(ann, 'Xaver left');
		await here(ann, 'Ann');
	});

	it('drops who goes without a word, when the server says so', async () => {
		const ann = await guest('Ann', '?room=mute');
		const bob = await guest('Bob', '?room=mute');

		await ann.evaluate(() => { window.goodbye = () => {}; });
		await site.release(ann);
		await ann.goto('about:blank');
		await notice(bob, 'Ann left');
		await here(bob, 'Bob');
	});

	it('drops whose session leaves the room', async () => {
		const ann = await guest('Ann', '?room=left');
		const left = (subject) => ann.evaluate((where) => onServerSays({
			action: 'unsubscribe', from: 'handle', subject: where }), subject);

		const speaks = (who, action) => ann.evaluate(([name, what]) =>
			onPresence({ p_subject: PRESENCE, action: what, who: name,
				nick: name, p_from: 'handle' }), [who, action]);

		await speaks('Xaver', 'hello');
		await speaks('Yves', 'hello');
		await left('/chat/leftmost');
		await here(ann, 'Ann', 'Xaver', 'Yves');
		await left('/chat/left');
		await ann.evaluate((then) => { while (Date.now() <= then); },
			await ann.evaluate(() => Date.now()));
		await speaks('Yves', 'here');
		await notice(ann, 'Xaver left');
		await here(ann, 'Ann', 'Yves');
	});

	it('remembers a name, and works in tabs of one browser', async () => {
		const ann = await guest('Ann', '?room=tabs');
		const second = await ann.context().newPage();

		await second.goto(ann.url());
		assert.equal(await second.inputValue('#nick'), 'Ann');
		await here(second, 'Ann', 'Ann');
		await second.fill('#nick', 'Ann 2');
		await second.press('#nick', 'Tab');
		await here(ann, 'Ann', 'Ann 2');
		await say(second, 'from a tab');
		assert.equal(await bubble(ann, 'theirs', 1), 'from a tab');
		await say(ann, 'to a tab');
		assert.equal(await bubble(second, 'theirs', 1), 'to a tab');
		await site.release(second);
		await second.close({ runBeforeUnload: false });
		await here(ann, 'Ann');
		await site.attend(ann);
		await ann.reload();
		assert.equal(await ann.inputValue('#nick'), 'Ann');
		await here(ann, 'Ann');
	});

	it('counts in its title what came while nobody looked', async () => {
		const ann = await guest('Ann', '?room=title');
		const bob = await guest('Bob', '?room=title');
		const look = (hidden) => ann.evaluate((value) => {
			Object.defineProperty(document, 'hidden',
				{ configurable: true, value });
			document.dispatchEvent(new Event('visibilitychange'));
		}, hidden);

		await look(true);
		await say(bob, 'one');
		await say(bob, 'two');
		await ann.waitForFunction(() => document.title === '(2) Chat');
		await look(false);
		assert.equal(await ann.title(), 'Chat');
		await say(bob, 'three');
		assert.equal(await bubble(ann, 'theirs', 3), 'three');
		assert.equal(await ann.title(), 'Chat');
	});

	it('looks as it should, in every look', () =>
		everyLook(site, 'examples/chat.html?room=looks', async (page) => {
			await live(page);
			await say(page, 'Hello');
			await page.locator('.pending').waitFor({ state: 'detached' });
			await site.lab.publish('/chat/looks', { nick: 'shell',
				text: 'a'.repeat(200) });
			await bubble(page, 'theirs', 1);
		}));

	it('shows what is published from a shell', async () => {
		const page = await guest('Cleo', '?room=shell');

		await site.lab.publish('/chat/shell', { nick: 'shell', text: 'from a shell' });
		assert.equal(await bubble(page, 'theirs', 1), 'from a shell');
	});

	it('tells a newcomer what was said before', async () => {
		for (let i = 1; i <= 3; i++)
			await site.lab.publish('/chat/late', { nick: 'shell', text: `line ${i}` });
		const page = await guest('Dora', '?room=late');

		for (let i = 1; i <= 3; i++)
			assert.equal(await bubble(page, 'theirs', i), `line ${i}`);
		await say(page, 'a word of hers');
		assert.equal(await bubble(page, 'mine', 1), 'a word of hers');
	});
});
