// SPDX-License-Identifier: MIT
//
// legacy-pages.test.mjs - the example pages in the style of old, two by two

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Site } from './site.mjs';
import { until } from '../lib/wait.mjs';

let site;

before(async () => { site = await Site.open(); });
after(() => site?.close());

async function live(name) {
	const page = await site.page(`examples/${name}`);

	await page.locator('#status[data-state=live]').waitFor();
	return page;
}

describe('the fridge door', () => {
	const at = (page, word) => page.getByRole('button', { name: word, exact: true })
		.evaluate((button) => `${button.dataset.x},${button.dataset.y}`);

	it('moves the words of one browser in the other', async () => {
		const ann = await live('legacy-ajax.html');
		const bob = await live('legacy-ajax.html');
		const word = ann.getByRole('button', { name: 'river', exact: true });
		const before = await at(bob, 'river');
		const box = await word.boundingBox();

		await ann.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
		await ann.mouse.down();
		await ann.mouse.move(box.x + 200, box.y + 150, { steps: 10 });
		await ann.mouse.up();
		await until('the word to be moved', async () =>
			await at(bob, 'river') === await at(ann, 'river')
			&& await at(bob, 'river') !== before);

		const cleo = await live('legacy-ajax.html');
		await until('the door as it is', async () =>
			await at(cleo, 'river') === await at(ann, 'river'));
	});
});

describe('the whiteboard', () => {
	/* How many dots of the canvas have been painted. */
	const painted = (page) => page.locator('#board').evaluate((board) => {
		const copy = new OffscreenCanvas(board.width, board.height)
			.getContext('2d', { willReadFrequently: true });
		copy.drawImage(board, 0, 0);
		const { data } = copy.getImageData(0, 0, board.width, board.height);
		return data.filter((value, i) => i % 4 === 3 && value > 0).length;
	});

	it('shows in one browser what is drawn in the other', async () => {
		const ann = await live('legacy-frame.html');
		const bob = await live('legacy-frame.html');
		const box = await ann.locator('#board').boundingBox();

		assert.equal(await painted(bob), 0);
		await ann.mouse.move(box.x + 50, box.y + 50);
		await ann.mouse.down();
		await ann.mouse.move(box.x + 250, box.y + 150, { steps: 20 });
		await ann.mouse.up();
		const all = await painted(ann);
		assert.ok(all > 200);
		await until('the line', async () => await painted(bob) > all * 0.95);
		await ann.getByRole('button', { name: 'Clear' }).click();
		await until('an empty board', async () => await painted(bob) === 0);
	});
});

it('the start page leads to both', async () => {
	const page = await site.page('examples/index.html');

	for (const name of ['Fridge door', 'Whiteboard']) {
		await page.getByRole('heading', { name }).click();
		await page.locator('#status[data-state=live]').waitFor();
		await page.goBack();
	}
});
