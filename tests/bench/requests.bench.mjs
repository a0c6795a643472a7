// SPDX-License-Identifier: MIT
//
// requests.bench.mjs - long polls, and what a command costs
//
// The null responder answers a plain request, which is what any FastCGI
// program must do for it.

import { until } from '../lib/wait.mjs';
import { both, possible, SUBJECT } from './site.mjs';
import { row } from './results.mjs';

const PULLS = 5000;
const ROUNDS = 5;
const AT_ONCE = 32;		/* clients of a command */
const TURNS = 3;		/* of a command */
const MS = 600;			/* of a turn */
const PROPS = {
	'pull.refresh.timeout.millis': 600000,
	'poll.refresh.timeout.millis': 600000,
	'sessionmanager.maxsessions': 20000, 'subscriptions.max': 40000,
};

/* Answers a second of the processors that responder and nginx have used. */
const perCpu = (n, { responder, front }) => n / (responder + front);

/* Clients that send these requests one after another, without a pause. */
async function commands(site, loop, ...targets) {
	const runs = [];

	await site.load.clients(AT_ONCE, loop, ...targets);
	for (let turn = 0; turn < TURNS; turn++) {
		await site.load.ask('mark');
		runs.push(await site.spent(() => site.load.ask(`run ${MS}`, MS)));
	}
	await site.load.close();
	return { perCpu: runs.map((r) => perCpu(r.answers, r)),
		perSecond: runs.map((r) => r.answers / r.seconds) };
}

/* Each round: all wait, one event is published, all are answered and wait
 * again. */
async function pulls(ours, n) {
	const runs = [];
	const waiting = () => until(`${n} waiting pull clients`,
		async () => await ours.lab.listening() === n);

	await ours.load.clients(n, 1, `${ours.path}?p_event=join-listen`
		+ `&p_format=xml&p_mode=pull&p_subject=${SUBJECT}`,
	`${ours.path}?p_event=refresh&p_id=@`);
	await waiting();
	for (let round = 0; round < ROUNDS; round++)
		runs.push(await ours.spent(async () => {
			const { p99 } = await ours.run({ count: 1, bytes: 30 });
			await waiting();
			return { p99 };
		}));
	await ours.load.close();
	return runs;
}

await both({ streams: possible(PULLS), props: PROPS }, async (ours, other) => {
	const n = possible(PULLS);
	const url = (query) => `${ours.path}?p_format=xml&${query}`;
	const plain = await commands(other, 0, `${other.path}?plain`);
	const rounds = await pulls(ours, n);

	row(`long-poll cycles per CPU second, ${n} clients`, '1/s',
		rounds.map((r) => perCpu(n, r)), plain.perCpu);
	row('  the responder\'s share', '%', rounds.map((r) =>
		100 * r.responder / (r.responder + r.front)));
	row(`  until 99 % of ${n} were answered`, 'ms',
		rounds.map((r) => r.p99 / 1000));
	for (const [name, loop, ...targets] of [
		['join and leave', 0, 'p_event=join', 'p_event=leave&p_id=@'],
		['subscribe and unsubscribe', 1, 'p_event=join',
			'p_event=subscribe&p_id=@&p_subject=/x/y',
			'p_event=unsubscribe&p_id=@'],
		['refresh in mode poll', 1, 'p_event=join-listen&p_mode=poll&p_subject=/x',
			'p_event=refresh&p_id=@'],
		['publish by HTTP', 1, 'p_event=join',
			'p_event=publish&p_id=@&p_subject=/nobody&text=hello'],
	]) {
		const figures = await commands(ours, loop, ...targets.map(url));
		row(`${name}, requests per CPU second`, '1/s', figures.perCpu,
			plain.perCpu);
		row('  requests per second', '1/s', figures.perSecond,
			plain.perSecond);
	}
});
