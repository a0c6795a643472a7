// SPDX-License-Identifier: MIT
//
// monitor.test.mjs - the charts: what they draw, and how they change

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { everyLook } from './looks.mjs';
import { Site } from './site.mjs';
import { until } from '../lib/wait.mjs';

let site;

/* How many earlier events the server tells; each test begins with none. */
const remember = (n) => {
	site.lab.properties({ ...site.pushletd.options, 'history.max': n });
	site.pushletd.signal('SIGHUP');
	return site.pushletd.says(/properties reloaded/);
};

before(async () => { site = await Site.open({ props: { 'history.max': 0 } }); });
after(() => site?.close());

const measure = (load1) => site.lab.publish('/system/load', { host: 'here & now',
	kernel: 'Linux 1', uptime: '90061', cpus: '1', running: '1', tasks: '2',
	load1, load5: '0.25', load15: '0' });

const legend = (page) => page.locator('#load-chart .u-value').allTextContents();

const shows = (page, wanted) => until(`a legend of ${wanted}`, async () =>
	(await legend(page)).slice(1).join() === wanted);

/* Two minutes of values, without some in the middle; returns the last time. */
const fill = (page) => page.evaluate(() => {
	const end = Math.ceil(Date.now() / 1000) + 200;

	for (let at = end - 120; at <= end; at++)
		if (at <= end - 80 || at >= end - 40)
			load.add(at, [2, 1, (at - end) / -120]);
	return end;
});

/* How many pixels of a colour (a variable of the style sheet) a chart has
 * between two parts of its width. */
const pixels = (page, name, from, to) => page.evaluate(([color, left, right]) => {
	const { ctx: { canvas }, bbox } = load.plot;
	const ctx = new OffscreenCanvas(canvas.width, canvas.height)
		.getContext('2d', { willReadFrequently: true });
	const wanted = Chart.color(color).match(/\w\w/g).map((h) => parseInt(h, 16));

	ctx.drawImage(canvas, 0, 0);
	const { data } = ctx.getImageData(bbox.left + left * bbox.width, bbox.top,
		(right - left) * bbox.width, bbox.height);
	let count = 0;

	for (let i = 0; i < data.length; i += 4)
		count += wanted.every((c, k) => Math.abs(c - data[i + k]) < 12) &&
			data[i + 3] > 200;
	return count;
}, [name, from, to]);

describe('monitor', () => {
	for (const mode of ['stream', 'pull'])
		it(`shows what is measured (${mode})`, async () => {
			const page = await site.page(`examples/monitor.html?mode=${mode}`);

			await page.locator('#status[data-state=live]').waitFor();
			await measure('0.50');
			await shows(page, '0.50,0.25,0.00');
			assert.equal(await page.textContent('#host'), 'here & now');
			assert.equal(await page.textContent('#about'), 'Linux 1, up 1 d 1 h');
			await measure('1.50');
			await shows(page, '1.50,0.25,0.00');
			await page.context().close();
		});

	it('begins with what was measured before', async () => {
		await remember(100);
		await measure('0.10');
		await measure('0.70');
		const page = await site.page('examples/monitor.html');

		await shows(page, '0.70,0.25,0.00');
		await page.waitForFunction(() => load.data()[1].includes(0.1));
		await page.context().close();
		await remember(0);
	});

	it('shows a pause as a gap, and what is below the pointer', async () => {
		const page = await site.page('examples/monitor.html');
		const end = await fill(page);

		await shows(page, '2.00,1.00,0.00');
		await until('a line', async () => await pixels(page, 'two', 0, 0.3) > 50);
		assert.equal(await pixels(page, 'two', 0.36, 0.64), 0);
		assert.ok(await pixels(page, 'two', 0.7, 1) > 50);

		const box = await page.locator('#load-chart .u-over').boundingBox();
		await page.mouse.move(box.x + box.width / 4, box.y + 20);
		await shows(page, '2.00,1.00,0.75');
		const time = await page.evaluate((at) => Chart.clock(new Date(at * 1000)),
			end - 90);
		assert.equal((await legend(page))[0], time);
		await page.mouse.move(0, 0);
		await shows(page, '2.00,1.00,0.00');
		assert.equal((await legend(page))[0], 'now');
		await page.context().close();
	});

	it('adds up the parts of a whole', async () => {
		const page = await site.page('examples/monitor.html');
		const values = await page.evaluate(() => {
			cpu.add(1000, [10, 20, 30]);
			cpu.add(900, [1, 2, 3]);	/* a clock that went back */
			cpu.add(1010, [0, 0, 5]);
			return cpu.data();
		});

		assert.deepEqual(values, [[1000, 1000, 1005, 1010], [10, 1, null, 0],
			[30, 3, null, 0], [60, 6, null, 5]]);
		await page.context().close();
	});

	it('follows light and dark, and the width', async () => {
		const page = await site.page('examples/monitor.html',
			{ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
		const width = () => page.evaluate(() => [load.plot.width,
			document.documentElement.scrollWidth]);

		await fill(page);
		await until('a line', async () => await pixels(page, 'two', 0, 0.3) > 50);
		await page.emulateMedia({ colorScheme: 'dark' });
		await until('a line in the colour of the dark', async () =>
			await pixels(page, 'two', 0, 0.3) > 50);
		const [before] = await width();
		await page.setViewportSize({ width: 390, height: 844 });
		await until('a chart that fits', async () => {
			const [chart, all] = await width();
			return chart < 390 && chart > 250 && all === 390;
		});
		await page.setViewportSize({ width: 1280, height: 900 });
		await until('the former width', async () => (await width())[0] === before);
		await page.context().close();
	});

	it('looks as it should, in every look', () =>
		everyLook(site, 'examples/monitor.html', async (page) => {
			await page.locator('#status[data-state=live]').waitFor();
			await measure('0.50');
			await shows(page, '0.50,0.25,0.00');
			await fill(page);
			await shows(page, '2.00,1.00,0.00');
		}));
});
