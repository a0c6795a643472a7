// SPDX-License-Identifier: MIT
//
// others.bench.mjs - the same streams by other push servers, if they are
// installed: Debian's libnginx-mod-nchan
//
// Each has an nginx with one worker; three runs by turns.

import { Ours } from './site.mjs';
import { installed, Nchan } from './nchan.mjs';
import { remark, row } from './results.mjs';

const STREAMS = 1000, TURNS = 3;
const LOADS = [{ rate: 300, count: 600, bytes: 30 },
	{ rate: 10, count: 20, bytes: 30 }];

async function compare(sites, options) {
	const runs = sites.map(() => []);

	for (let turn = 0; turn < TURNS; turn++)
		for (const [i, site] of sites.entries())
			runs[i].push(await site.run(options));
	const of = (pick) => runs.map((list) => list.map(pick));
	const name = `${STREAMS} streams x ${options.rate}/s, against nchan`;

	row(`CPU per delivery, ${name}`, 'us',
		...of((r) => 1e6 * (r.responder + r.front) / r.deliveries));
	for (const p of ['p50', 'p99'])
		row(`latency ${p}, ${name}`, 'ms', ...of((r) => r[p] / 1000));
}

const sites = [];
try {
	if (!installed())
		remark('no other push server is installed (libnginx-mod-nchan)');
	else
		for (const kind of [Ours, Nchan])
			sites.push(await kind.open({ streams: STREAMS }));
	for (const site of sites)
		await site.streams(STREAMS);
	for (const load of sites.length ? LOADS : [])
		await compare(sites, load);
} finally {
	for (const site of sites)
		await site.close();
}
