// SPDX-License-Identifier: MIT
//
// tools.test.mjs - pushlet-publish and pushletctl: options, messages, statuses

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { binary, IS_ROOT, SLOW } from '../lib/paths.mjs';
import { run, tool } from '../lib/process.mjs';
import { rows } from '../lib/rows.mjs';

const NOWHERE = '/pushlet-test-does-not-exist';
/* What else they need to run. */
const REST = {
	pushletd: ['-f', '-s', '127.0.0.1:0'],
	'pushlet-publish': ['/a'],
	'pushlet-sources': [],
	pushletctl: ['status'],
};
const PROGRAMS = Object.keys(REST);

describe('every program', () => {
	for (const name of PROGRAMS) {
		it(`${name} -h explains its options`, async () => {
			const { status, stdout, stderr } = await tool(name, ['-h']);

			assert.equal(status, 0, stderr);
			assert.match(stdout, new RegExp(`usage: ${name}`, 'i'));
			assert.match(stdout, /-n/);
		});

		it(`${name} -V prints its version`, async () => {
			const { status, stdout } = await tool(name, ['-V']);

			assert.equal(status, 0);
			assert.match(stdout, new RegExp(`^${name} \\S*\\d+\\.\\d+`));
		});

		it(`${name} refuses an option it does not have`, async () => {
			const { status, stdout, stderr } = await tool(name, ['-Z']);

			assert.equal(status, 1);
			assert.match(stderr, /Z/);
			assert.match(stderr, new RegExp(`usage: ${name}|${name} -h`, 'i'));
			assert.equal(stdout, '');
		});

		it(`${name} refuses an option without its value`, async () => {
			const { status, stderr } = await tool(name, ['-n']);

			assert.equal(status, 1);
			assert.match(stderr, /n/);
		});

		it(`${name} refuses a segment name without /`, async () => {
			const { status, stderr } = await tool(name, ['-n', 'x', ...REST[name]]);

			assert.equal(status, 1);
			assert.match(stderr, /'x'/);
		});
	}
});

describe('pushlet-publish', () => {
	const lab = new Lab();
	let web, ann;
	const n = (...args) => () => ['-n', lab.segment, ...args];
	const many = Array.from({ length: 65 }, (_, i) => `a${i}=1`);

	before(async () => {
		web = (await lab.nginx(await lab.pushletd({
			props: { 'queue.write.timeout.millis': 10_000 * SLOW } }))).client();
		ann = await web.joinListen({ mode: 'stream', subject: '/t' });
	});
	after(() => lab.close());

	rows('pushlet-publish', [
		['no subject', n(), 1, /subject/i],
		['an empty subject', n(''), 1, /subject/],
		['too long a subject', n(`/${'x'.repeat(256)}`), 1, /subject\.max\.bytes/],
		['a reserved subject', n('/meta/x'), 1, /\/meta/],
		['two kinds of input', n('--lines', 'x', '--xml', '/t'), 1, /--lines and --xml/],
		['--pace for one event', n('--pace', '/t'), 1, /--pace.*--lines or --xml/],
		['an attribute without =', n('/t', 'oops'), 1, /'oops'/],
		['a name that is none', n('/t', 'a b=1'), 1, /'?a b'?/],
		['an empty name', n('/t', '=1'), 1, /name/],
		['a name with p_', n('/t', 'p_from=me'), 1, /p_from/],
		['a name twice', n('/t', 'a=1', 'a=2'), 1, /'?a'?.*twice|twice.*'?a'?/],
		['too many attributes', n('/t', ...many), 1, /event\.max\.attributes/],
		['too large a value', n('/t', `a=${'x'.repeat(65_537)}`), 1, /event\.max\.bytes/],
		['no segment', ['-n', NOWHERE, '/t'], 2, /pushlet-test-does-not-exist/],
		['a properties file that does not exist', ['-c', '/nonexistent', '/t'], 1, /\/nonexistent/],
		['a bad name for --lines', n('--lines', 'a b', '/t'), 1, /'?a b'?/],
		['--lines without a subject', n('--lines', 'x'), 1, /subject/i],
		['XML that is none', n('--xml'), 1, /line 1/, 'hello'],
		['XML cut short', n('--xml', '/t'), 1, /line 1|end/, '<event a="1"'],
		['XML without a subject', n('--xml'), 1, /subject/, '<event a="1"/>'],
		['XML with a document type', n('--xml', '/t'), 1, /line 1: not XML/, '<!DOCTYPE x><event/>'],
		['a line too long', n('--lines', 'x', '/t'), 1, /event\.max\.bytes|long|large/, `${'x'.repeat(70_000)}\n`],
		['a line that is no UTF-8', n('--lines', 'x', '/t'), 1, /UTF-8/, Buffer.from([0xe9, 0xff, 10])],
	]);

	it('publishes one event, silently', async () => {
		const result = await tool('pushlet-publish', ['-n', lab.segment, '/t', 'n=1', 'text=a=b c', 'empty=']);

		assert.deepEqual(result, { status: 0, stdout: '', stderr: '' });
		await ann.channel.next({ p_event: 'data', n: 1, text: 'a=b c', empty: '', p_from: undefined });
	});

	it('-v tells how many sessions it reached', async () => {
		const bob = await web.join();
		const say = async (...args) => {
			const { status, stdout, stderr } = await tool('pushlet-publish', ['-n', lab.segment, '-v', ...args]);
			assert.equal(status, 0, stderr);
			return (stdout + stderr).trim();
		};

		assert.match(await say('/t', 'n=2'), /published \/t to 1 session/);
		await bob.subscribe('/t/x');
		assert.match(await say('/t/x', 'n=3'), /published \/t\/x to 2 sessions/);
		assert.match(await say('/nobody'), /published \/nobody to 0 sessions/);
		assert.match(await say('--to', ann.id, '/t', 'n=4'), /to 1 session/);
		assert.match(await say('--to', 'nosuch', '/t'), /to 0 sessions/);
		for (const count of [2, 3, 4])
			await ann.channel.next({ p_event: 'data', n: count });
	});

	it('--lines delivers each line as it arrives', async () => {
		const child = spawn(binary('pushlet-publish'), ['-n', lab.segment, '--lines', 'line', '/t', 'host=h']);
		const exit = new Promise((done) => { child.on('close', done); });

		for (const line of ['first', 'second with  blanks', '', 'no=attribute']) {
			child.stdin.write(`${line}\n`);
			await ann.channel.next({ p_event: 'data', line, host: 'h' });
		}
		child.stdin.write('two in\none write\n');
		await ann.channel.next({ p_event: 'data', line: 'two in' });
		await ann.channel.next({ p_event: 'data', line: 'one write' });
		child.stdin.end('the last without its newline');
		await ann.channel.next({ p_event: 'data', line: 'the last without its newline' });
		assert.equal(await exit, 0);
	});

	it('--xml delivers each element as it is closed', async () => {
		const child = spawn(binary('pushlet-publish'), ['-n', lab.segment, '--xml', '/t']);
		const exit = new Promise((done) => { child.on('close', done); });

		child.stdin.write('<event n="11"/>');
		await ann.channel.next({ p_event: 'data', n: 11, p_subject: '/t' });
		child.stdin.write('<event p_subject="/t/y" n="12" text="&lt;&#20013;"');
		child.stdin.write('/>\n<event ');
		await ann.channel.next({ p_event: 'data', n: 12, p_subject: '/t/y', text: '<中' });
		child.stdin.end('n="13"></event>');
		await ann.channel.next({ p_event: 'data', n: 13 });
		assert.equal(await exit, 0);
	});

	it('goes on after a mistake in an element, and tells where it was', async () => {
		const { status, stderr } = await tool('pushlet-publish', ['-n', lab.segment, '--xml', '/t'],
			{ input: '<event n="21"/>\n<event n="22" a:b="1"/>\n<event n="23"/>' });

		assert.equal(status, 1);
		assert.match(stderr, /line 2: not published/);
		await ann.channel.next({ p_event: 'data', n: 21 });
		await ann.channel.next({ p_event: 'data', n: 23 });
	});

	it('goes on after a line that is too long, or no UTF-8', async () => {
		const { status, stderr } = await tool('pushlet-publish', ['-n', lab.segment, '--lines', 'n', '/t'],
			{ input: Buffer.concat([Buffer.from(`25\n${'x'.repeat(70_000)}\n26\n`),
				Buffer.from([0xff, 10]), Buffer.from('27\n')]) });

		assert.equal(status, 1);
		assert.match(stderr, /line 2: not published.*\n.*line 4: not published/);
		for (const count of [25, 26, 27])
			await ann.channel.next({ p_event: 'data', n: count });
	});

	it('--pace waits for who listens: many more events than a queue holds all arrive', async () => {
		const bob = await web.joinListen({ mode: 'stream', subject: '/paced' });
		const texts = Array.from({ length: 3000 }, (_, i) => `text ${i}`);
		const published = tool('pushlet-publish', ['-n', lab.segment, '--pace', '--lines', 'line', '/paced'],
			{ input: texts.map((text) => `${text}\n`).join('') });

		for (const line of texts)
			await bob.channel.next({ p_event: 'data', line, p_lost: undefined });
		assert.deepEqual(await published, { status: 0, stdout: '', stderr: '' });
		await bob.leave();
	});

	it('--wait waits for a segment', async () => {
		const other = new Lab();
		const waiting = tool('pushlet-publish', ['-n', other.segment, '--wait', '20', '/w', 'n=1']);

		await other.pushletd();
		const { status, stderr } = await waiting;
		assert.equal(status, 0, stderr);
		await other.close();
	});

	it('-c finds the segment by shm.name', async () => {
		const file = lab.properties({});
		const { status, stderr } = await tool('pushlet-publish', ['-c', file, '/t', 'n=31']);

		assert.equal(status, 0, stderr);
		await ann.channel.next({ p_event: 'data', n: 31 });
	});

	it('writes what it published before its reader closes the pipe', async () => {
		const child = spawn('/bin/sh', ['-c', '"$0" -n "$1" -v --lines n /t | head -n 1 >/dev/null',
			binary('pushlet-publish'), lab.segment]);

		for (let count = 41; count <= 44; count++)
			child.stdin.write(`${count}\n`);
		child.stdin.end();
		await ann.channel.next({ p_event: 'data', n: 41 });
	});

	it('without permission ends with 3', { skip: !IS_ROOT && 'needs another user' }, async () => {
		const program = lab.path('publish');

		copyFileSync(binary('pushlet-publish'), program);
		chmodSync(program, 0o755);
		const { status, stderr } = await run('/bin/sh', ['-c',
			'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" -n "$1" /t',
			program, lab.segment]);
		assert.equal(status, 3, stderr);
		assert.match(stderr, /ermission/);
		assert.match(stderr, /shm\.mode and shm\.group/);
	});
});

describe('pushletctl', () => {
	const lab = new Lab();
	let web, ann;

	before(async () => {
		web = (await lab.nginx(await lab.pushletd())).client();
		ann = await web.joinListen({ mode: 'stream', subject: '/ctl,/ctl2', label: 'L' });
	});
	after(() => lab.close());

	rows('pushletctl', [
		['no command', () => ['-n', lab.segment], 1, /status.*sessions.*check.*destroy/s],
		['an unknown command', () => ['-n', lab.segment, 'frob'], 1, /frob/],
		['too many arguments', () => ['-n', lab.segment, 'check', 'x'], 1, /x/],
		['--json where it has no meaning', () => ['-n', lab.segment, 'destroy', '--json'], 1, /--json/],
		['--force where it has no meaning', () => ['-n', lab.segment, 'status', '--force'], 1, /--force/],
		['no segment', ['-n', NOWHERE, 'status'], 2, /pushlet-test-does-not-exist/],
		['no segment to destroy', ['-n', NOWHERE, 'destroy'], 2, /pushlet-test-does-not-exist/],
	]);

	it('status tells how full everything is', async () => {
		const { status, stdout, stderr } = await lab.ctl('status');

		assert.equal(status, 0, stderr);
		for (const word of ['sessions', 'subscriptions', 'log', 'queue', 'workers', lab.segment])
			assert.ok(stdout.includes(word), stdout);
	});

	it('status --json has numbers for programs', async () => {
		const status = await lab.status();

		assert.equal(status.name, lab.segment);
		assert.deepEqual(status.sessions, { total: 1, listening: 1, stream: 1, pull: 0, poll: 0 });
		assert.equal(status.limits.sessions, 500);
		assert.equal(status.subscriptions, 2, 'one for each subject of the list');
		assert.equal(status.counts.joins, 1);
		assert.equal(Object.values(status.spent).reduce((a, b) => a + b), status.bytes);
		assert.equal(status.workers.length, 1);
		assert.equal(status.workers[0].channels, 1);
		assert.equal(status.workers[0].alive, true);
		assert.equal(status.bytes, statSync(lab.shmFile).size);
	});

	it('sessions shows handles, and never ids', async () => {
		const text = await lab.ctl('sessions');
		const json = await lab.ctl('sessions', '--json');
		const [session] = JSON.parse(json.stdout);

		assert.ok(!(text.stdout + json.stdout).includes(ann.id));
		assert.ok(text.stdout.includes(session.handle));
		assert.equal(session.format, 'xml');
		assert.equal(session.mode, 'stream');
		assert.equal(session.listening, true);
		assert.deepEqual(session.subjects, ['/ctl', '/ctl2']);
		assert.equal(session.address, '127.0.0.1');
	});

	it('check finds nothing wrong', async () => {
		const { status, stdout, stderr } = await lab.ctl('check');

		assert.equal(status, 0, stdout + stderr);
	});

	it('destroy refuses a segment in use, unless forced', async () => {
		const { status, stderr } = await lab.ctl('destroy');

		assert.equal(status, 1);
		assert.match(stderr, /in use by 1 process .*--force/);
		assert.ok(existsSync(lab.shmFile));
	});

	it('destroy removes the segment', async () => {
		const other = new Lab();

		await (await other.pushletd()).stop();
		other.running.length = 0;
		assert.ok(existsSync(other.shmFile));
		const { status, stderr } = await other.ctl('destroy');
		assert.equal(status, 0, stderr);
		assert.ok(!existsSync(other.shmFile));
		await other.close();
	});
});

