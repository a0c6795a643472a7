// SPDX-License-Identifier: MIT
//
// slow.bench.mjs - what clients that never read cost those that do
//
// Two pushletd by turns, each with 100 streams behind nginx that are read; one
// has 1,000 more, whose connections nobody reads.  Those go to its socket
// directly, so that what is not read stays with pushletd.  The delay of an
// event is that from the writing of its line to pushlet-publish --lines to its
// arrival at a reader.  Fails if a reader misses an event.

import { begin, params, requestParams } from '../lib/fcgi.mjs';
import { pool, until, within, LIMIT } from '../lib/wait.mjs';
import { memory } from './meter.mjs';
import { remark, row } from './results.mjs';
import { Ours, SUBJECT } from './site.mjs';

const READERS = 100, DEAF = 1000;
const RUNS = 9;
const RUN = { rate: 50, count: 250, bytes: 4000 };
const REQUEST = Buffer.concat([begin(), params(requestParams({ query:
	`p_event=join-listen&p_mode=stream&p_format=xml&p_subject=${SUBJECT}` })),
Buffer.from([1, 5, 0, 1, 0, 0, 0, 0])]);

/* A stream of which nothing is read but its beginning. */
async function deaf(pushletd) {
	const socket = pushletd.connect();
	const answered = new Promise((done, fail) => {
		socket.on('error', fail);
		socket.once('data', done);
	});

	socket.write(REQUEST);
	await within(answered, LIMIT, () => 'a stream does not begin');
	socket.pause();
	return socket;
}

/* That many which have lost something: all their buffers are full. */
async function crowd(site) {
	const sockets = [];

	await pool(64, Array(DEAF).fill(
		async () => sockets.push(await deaf(site.pushletd))));
	await until('all slow clients to be stuck', async () => {
		await site.run(RUN);
		return (await site.lab.sessions())
			.filter((s) => s.lost > 0).length === DEAF;
	}, 60000);
	return sockets;
}

async function bench(quiet, crowded) {
	const alone = [], among = [];

	for (const site of [quiet, crowded]) {
		await site.streams(READERS);
		await site.run(RUN);				/* warm */
	}
	const before = memory(crowded.pushletd.pid);
	const sockets = await crowd(crowded);
	while (among.length < RUNS) {
		alone.push(await quiet.run(RUN));
		among.push(await crowded.run(RUN));
	}
	const after = memory(crowded.pushletd.pid);
	const { counts } = await crowded.lab.status();
	sockets.forEach((socket) => socket.destroy());

	remark(`slow clients: the reference is the same ${READERS} readers alone; ${
		DEAF} others lost ${counts.lost} events`);
	for (const [label, key] of [['median', 'p50'], ['p90', 'p90'],
		['p99', 'p99'], ['max', 'max']])
		row(`delay among ${DEAF} clients that never read: ${label}`, 'ms',
			among.map((r) => r[key] / 1000), alone.map((r) => r[key] / 1000),
			'about equal');
	row('memory of pushletd for a client that never reads', 'KiB',
		(after.anonymous - before.anonymous) / DEAF / 1024);
}

const options = { streams: READERS + DEAF, props: { 'queue.size': 64 } };
const sites = [];
try {
	sites.push(await Ours.open(options), await Ours.open(options));
	await bench(...sites);
} finally {
	for (const site of sites)
		await site.close();
}
