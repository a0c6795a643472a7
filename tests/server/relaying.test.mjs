// SPDX-License-Identifier: MIT
//
// relaying.test.mjs - pushlet-relay and pushletd -r without a web server

import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { begin } from '../lib/fcgi.mjs';
import { Lab } from '../lib/lab.mjs';
import { ownProgram, Started } from '../lib/relay.mjs';
import { IS_ROOT, SLOW } from '../lib/paths.mjs';
import { Guarded } from '../lib/process.mjs';
import { rows } from '../lib/rows.mjs';
import { until } from '../lib/wait.mjs';

const NOBODY = 65534;

async function withLab(test) {
	const lab = new Lab();

	lab.relaySocket = lab.path('relay.sock');
	lab.relayAddress = `unix:${lab.relaySocket}`;
	try {
		await test(lab);
	} finally {
		await lab.close();
	}
}

/* A pushletd that takes what relays bring. */
const server = (lab, { args = [], ...options } = {}) =>
	lab.pushletd({ args: ['-r', lab.relayAddress, ...args], ...options });

/* A relay that starts none; one that does, and what it starts. */
const relay = (lab, { args = [], uid } = {}) =>
	lab.relay({ args: [...args, lab.relayAddress], uid });

function starting(lab, { args = [], options } = {}) {
	const started = lab.started ??= lab.guard(new Started(ownProgram(lab, 'pushletd')));

	lab.log = lab.path('pushletd.log');
	return lab.relay({ args: [...options ?? ['-l', lab.log], lab.relayAddress, '--', started.path,
		'-n', lab.segment, '-o', 'log.max.bytes=2097152', ...args] });
}

const join = { query: 'p_event=join&p_format=xml' };

async function joins(through) {
	const answer = await through.fcgi(join);

	assert.equal(answer.status, 200, JSON.stringify(answer));
	assert.match(answer.text, /p_event="join-ack"/);
}

async function apologizes(through, pattern) {
	const answer = await through.fcgi(join);

	assert.equal(answer.status, 503, JSON.stringify(answer));
	assert.ok(answer.ended);
	assert.match(answer.text, pattern);
}

const took = async (work) => {
	const began = Date.now();

	await work();
	return Date.now() - began;
};

const logOf = (lab) => readFileSync(lab.log, 'utf8');

const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

describe('pushlet-relay', () => {
	rows('pushlet-relay', [
		['nothing', [], 1, /socket.*unix:\/PATH/],
		['an address that is no unix socket', ['127.0.0.1:9000'], 1, /127\.0\.0\.1:9000: must be unix:\/PATH/],
		['a relative path', ['unix:x'], 1, /unix:x: must be unix:\/PATH/],
		['too long a path', [`unix:/${'x'.repeat(120)}`], 1, /at most 107 bytes/],
		['an unknown option', ['-x'], 1, /'x'/],
		['a wait that is none', ['-w', 'long', 'unix:/x'], 1, /from 1 to 600, not 'long'/],
		['no wait', ['--wait', '0', 'unix:/x'], 1, /from 1 to 600, not '0'/],
		['a second argument', ['unix:/x', 'y'], 1, /-- PUSHLETD.*not 'y'/],
		['-- and nothing', ['unix:/x', '--'], 1, /-- PUSHLETD/],
		['a program without a path', ['unix:/x', '--', 'pushletd'], 1, /pushletd: must be the absolute path/],
		['a program that is not there', ['unix:/x', '--', '/nonexistent/pushletd'], 1,
			/\/nonexistent\/pushletd: No such file/],
		['no listening socket', ['unix:/x'], 1, /standard input is not a listening socket/],
	]);

	it('hands over to a pushletd that has another socket, too', () => withLab(async (lab) => {
		const pushletd = await server(lab);
		const through = await relay(lab);

		await joins(through);
		await joins(pushletd);
		assert.equal(statSync(lab.relaySocket).mode & 0o777, IS_ROOT ? 0o666 : 0o600);
		const ends = await took(() => through.stop());
		assert.ok(ends < 500 * SLOW, `${ends} ms`);
		await pushletd.stop();
		assert.ok(!existsSync(lab.relaySocket));
	}));

	it('hands over to any of several workers', () => withLab(async (lab) => {
		await server(lab, { args: ['-w', '2'] });
		const through = await relay(lab);

		for (let i = 0; i < 50; i++)
			await joins(through);
	}));

	it('leaves no descriptor anywhere', () => withLab(async (lab) => {
		const pushletd = await server(lab, { props: { 'workers.max': 2 } });
		const through = await relay(lab);

		await joins(through);
		const before = [through, pushletd].map(({ pid }) => descriptors(pid));
		for (let i = 0; i < 20; i++)
			await joins(through);
		await until('as many descriptors as before', () =>
			[through, pushletd].every(({ pid }, i) => descriptors(pid) <= before[i]));
	}));

	it('answers 503 and says why when there is none', () => withLab(async (lab) => {
		const through = await relay(lab, { args: ['-w', '1'] });
		const said = through.says(/error: .* 503: no pushletd at unix:\S*relay\.sock: No such file/);

		await apologizes(through, /push server is not there/);
		await said;
	}));

	it('waits for one that comes', () => withLab(async (lab) => {
		const through = await relay(lab);
		const answered = joins(through);

		await server(lab);
		await answered;
	}));

	it('answers 503 when one listens and does nothing, which then does not serve it', () =>
		withLab(async (lab) => {
			const pushletd = await server(lab, { args: ['-v'] });
			const through = await relay(lab, { args: ['-w', '1'] });
			const said = through.says(/ 503: .*did not take it/);

			pushletd.signal('SIGSTOP');
			await apologizes(through, /does not answer/);
			await said;
			const closed = pushletd.says(/took its connection back/);
			pushletd.signal('SIGCONT');
			await closed;
			assert.doesNotMatch(pushletd.output, /request join/);
			await joins(through);
		}));

	it('reads a long request before it answers 503', () => withLab(async (lab) => {
		const through = await relay(lab, { args: ['-w', '1'] });
		const answer = await through.fcgi({ method: 'POST', body: 'x'.repeat(500_000) });

		assert.equal(answer.status, 503);
		assert.ok(answer.ended);
	}));
});

describe('SIGTERM ends pushlet-relay', () => {
	it('while it waits for a pushletd, after an answer', () => withLab(async (lab) => {
		const pushletd = await server(lab);
		const through = await relay(lab);

		await joins(through);
		await pushletd.stop();
		const atRest = descriptors(through.pid);
		const answered = apologizes(through, /not there/);
		await until('the connection', () => descriptors(through.pid) > atRest);
		const ends = await took(() => through.stop());
		assert.ok(ends < 900 * SLOW, `${ends} ms`);
		await answered;
	}));

	it('while a pushletd hangs, and one web server amid its request', () => withLab(async (lab) => {
		const pushletd = await server(lab);
		const through = await relay(lab);

		await joins(through);
		const atRest = descriptors(through.pid);
		pushletd.signal('SIGSTOP');
		const half = await through.fcgiOpen(begin());
		await until('the hand-over', () => descriptors(through.pid) === atRest + 2);
		const ends = await took(() => through.stop());
		assert.ok(ends < 900 * SLOW, `${ends} ms`);
		pushletd.signal('SIGCONT');
		await half.end;
		assert.match(half.received.toString(), /Status: 503/);
	}));
});

describe('pushlet-relay -- pushletd', () => {
	it('starts one, which survives it', () => withLab(async (lab) => {
		const through = await starting(lab);

		await joins(through);
		const pid = await lab.started.only();
		await through.stop();
		assert.equal(await lab.started.only(), pid);
		await joins(await relay(lab));
		assert.match(logOf(lab), new RegExp(
			`ready: segment ${lab.segment}, unix:\\S+ for relays, 4 threads, pid ${pid}`));
		assert.equal(statSync(lab.relaySocket).mode & 0o777, 0o660);
	}));

	it('has its messages in the file of -l, or in those of the relay', () => withLab(async (lab) => {
		const first = await starting(lab);

		await joins(first);
		assert.doesNotMatch(first.output, /ready/);
		assert.equal(statSync(lab.log).mode & 0o777 & ~0o640, 0);
		assert.match(logOf(lab), /ready: .*for relays/);
		await lab.started.stop();
		const second = await starting(lab, { options: [] });
		await joins(second);
		assert.match(second.output, /ready: .*for relays/);
		await lab.started.stop();
	}));

	it('twelve at once start one, again and again, also over a stale socket', () => withLab(async (lab) => {
		const relays = await Promise.all(Array.from({ length: 12 }, () => starting(lab)));
		const pids = new Set();

		for (let round = 0; round < 4; round++) {
			await Promise.all(relays.map(joins));
			assert.ok(existsSync(lab.relaySocket));
			pids.add(await lab.started.killed('SIGKILL'));
		}
		assert.equal(pids.size, 4);
		assert.equal(logOf(lab).match(/ready: segment/g).length, 4);
	}));

	it('starts one also when the relay that began it is killed', () => withLab(async (lab) => {
		const first = await starting(lab);
		const second = await starting(lab);

		const lost = first.fcgi(join).catch(() => undefined);
		await until('a start', () => existsSync(`${lab.relaySocket}.lock`));
		await first.guarded.killed('SIGKILL');
		await lost;
		await joins(second);
		await lab.started.only();
	}));

	it('answers 503 when that cannot be started', () => withLab(async (lab) => {
		const through = await starting(lab, { args: ['-o', 'queue.size=lots'] });
		const said = through.says(/503: \S*pushletd, started just now, ended before it served/);
		const ends = await took(() => apologizes(through, /cannot be started/));

		await said;
		assert.ok(ends < 5000 * SLOW, `${ends} ms`);
		assert.match(logOf(lab), /queue\.size must be a whole number/);
	}));

	it('answers 503 when the lock cannot be made', () => withLab(async (lab) => {
		lab.relayAddress = 'unix:/nonexistent/relay.sock';
		const through = await starting(lab);
		const said = through.says(/503: cannot open the lock \/nonexistent\/relay\.sock\.lock: No such file/);

		await apologizes(through, /cannot be started/);
		await said;
	}));
});

describe('pushletd -r', () => {
	const refused = async (args, pattern) => withLab(async (lab) => {
		const pushletd = new Guarded('pushletd', ownProgram(lab, 'pushletd'),
			['-f', '-n', lab.segment, ...args(lab)]);

		assert.equal(await pushletd.exited, 1);
		assert.match(pushletd.output, pattern);
		assert.ok(!existsSync(lab.shmFile));
	});

	it('wants a unix socket', () => refused(() => ['-r', '127.0.0.1:9000'],
		/-r 127\.0\.0\.1:9000: must be unix:\/PATH/));

	it('wants a path that is not too long', () => refused(() => ['-r', `unix:/${'x'.repeat(120)}`],
		/-r unix:\/x+: must be an absolute path of at most 107 bytes/));

	it('wants a user that there is', () => refused((lab) =>
		['-r', lab.relayAddress, '-o', 'relay.user=nosuchuser'], /relay\.user: .*'nosuchuser'/));

	it('does not take the socket of a living one', () => withLab(async (lab) => {
		await server(lab);
		const fd = openSync('/dev/null', 'r');
		const second = new Guarded('pushletd', ownProgram(lab, 'pushletd'),
			['-f', '-n', lab.segment, '-r', lab.relayAddress], { stdin: fd });

		closeSync(fd);
		assert.equal(await second.exited, 1);
		assert.match(second.output, /-r unix:\S+: another server listens there/);
		await joins(await relay(lab));
	}));

	it('takes nothing from who is no relay, and says so once', () => withLab(async (lab) => {
		const pushletd = await server(lab);
		const before = descriptors(pushletd.pid);
		const said = pushletd.says(/refused a connection that a relay brought: the relay is of another version/);

		for (let i = 0; i < 5; i++) {
			const socket = connect(lab.relaySocket);
			let text = '';
			socket.on('data', (data) => { text += data; }).on('error', () => {});
			socket.write('GET / HTTP/1.0\r\n\r\n');
			await new Promise((done) => { socket.on('close', done); });
			assert.match(text, /^-the relay is of another version/);
		}
		await said;
		assert.equal(pushletd.output.match(/refused/g).length, 1);
		await until('as many descriptors as before', () => descriptors(pushletd.pid) <= before);
		await joins(await relay(lab));
	}));

	it('ends the wait for a relay that says nothing', () => withLab(async (lab) => {
		const pushletd = await server(lab, { props: { 'request.timeout.millis': 200 } });
		const said = pushletd.says(/a relay connected and sent nothing; closed after 200 ms/);
		const socket = connect(lab.relaySocket);

		await said;
		socket.destroy();
	}));

	it('refuses the relay of another user', { skip: !IS_ROOT }, () => withLab(async (lab) => {
		const pushletd = await server(lab);
		const stranger = await relay(lab, { uid: NOBODY });
		const told = stranger.says(/503: .*refused it: user 65534 may not, only user 0 and root may/);
		const said = pushletd.says(/refused a connection.*user 65534 may not.*relay\.user/);

		await apologizes(stranger, /refused the web server/);
		await Promise.all([told, said]);
		await apologizes(stranger, /refused the web server/);
		assert.equal(pushletd.output.match(/65534 may not/g).length, 1);

		lab.properties({ ...pushletd.options, 'relay.user': 'nobody' });
		const reread = pushletd.says(/properties reloaded/);
		pushletd.signal('SIGHUP');
		await reread;
		await joins(stranger);
		await joins(await relay(lab));	/* root may always */
	}));
});
