// SPDX-License-Identifier: MIT
//
// sources.test.mjs - pushlet-sources: what commands print arrives; they crash,
// flood, fall silent, are wanted or not, change, and end

import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { freePort } from '../lib/fronts.mjs';
import { CONF, IS_ROOT } from '../lib/paths.mjs';
import { Guarded, run, tool } from '../lib/process.mjs';
import { lives, Sources } from '../lib/sources.mjs';
import { until } from '../lib/wait.mjs';

const NOBODY = 65534;
const lab = new Lab();
let web;

const start = (sources, options) => new Sources(lab, options).start(sources);
const listen = (subject) => web.joinListen({ mode: 'stream', subject });

/* Runs work with these sources, and stops them. */
async function withSources(sources, work, options) {
	const program = await start(sources, options);

	try {
		await work(program);
	} finally {
		await program.stop();
	}
}

/* Lines that a command has written to a file of the lab. */
const linesOf = (name) => (existsSync(lab.path(name))
	? readFileSync(lab.path(name), 'utf8').split('\n').filter(Boolean) : []);

before(async () => {
	web = (await lab.nginx(await lab.pushletd())).client();
});
after(() => lab.close());

describe('what a source prints', () => {
	it('arrives line by line, or element by element', async () => {
		const ann = await listen('/out');

		await withSources({
			lines: { command: 'echo one; echo "two  & <3>"; sleep 100', subject: '/out/lines' },
			xml: {
				command: `echo '<a x="1&amp;2"/><b p_subject="/out/other"/>'; sleep 100`,
				subject: '/out/xml', format: 'xml',
			},
			named: { command: 'sleep 1; echo three; sleep 100', subject: '/out/named', attribute: 'text' },
		}, async () => {
			const events = [];
			while (events.length < 5)
				events.push(await ann.channel.next({ p_event: 'data' }));
			const seen = events.map((e) => [e.get('p_subject'),
				e.get('line') ?? e.get('x') ?? e.get('text') ?? ''].join(' ')).sort();
			assert.deepEqual(seen, ['/out/lines one', '/out/lines two  & <3>',
				'/out/named three', '/out/other ', '/out/xml 1&2']);
		});
		await ann.leave();
	});

	it('arrives to its end, also when the command has ended before', async () => {
		const ann = await listen('/end');

		await withSources({ seq: {
			command: 'seq 300; printf last', subject: '/end', rate: 500, restart: 'never',
		} }, async (program) => {
			for (let i = 1; i <= 300; i++)
				await ann.channel.next({ line: i });
			await ann.channel.next({ line: 'last' });
			await program.said(/seq: ended with status 0$/m);
		});
		await ann.leave();
	});

	it('on standard error is logged behind its name, so many lines a second', async () => {
		await withSources({ loud: {
			command: `printf 'a\\033[31mb\\n' >&2; seq 100000 >&2; sleep 100`, subject: '/loud',
		} }, async (program) => {
			await program.said(/loud: a\\x1B\[31mb$/m);
			await program.said(/loud: \d+ more lines were left out/);
			await until('the flood to be over', () =>
				/^100000$/m.test(program.output) || /loud: 19\n/.test(program.output));
			assert.ok(program.output.length < 20_000, `${program.output.length} bytes of log`);
		});
	});

	it('is skipped where it is no event, and the source goes on', async () => {
		const ann = await listen('/hostile');
		const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x y="&b;"/>';

		lab.write('lines', Buffer.concat([Buffer.from('good 1\nnul\0\n'), Buffer.from([0xff, 0xfe, 10]),
			Buffer.from('x'.repeat(3_000_000)), Buffer.from(`\n${'y'.repeat(100_000)}\ngood 2\n`)]));
		lab.write('elements', ['<e n="1"/>', bomb, '<e n="2', '<e n="3"/>', '&', '<e n="4"/>', '</e>',
			`<e x="${'z'.repeat(2_000_000)}"/>`, '<e n="5"/>', '<e n="\x01"/>', '<e><f/></e>',
			'<e n="6" n="7"/>', '<e xmlns:a="b" a:c="d"/>', '<e p_subject="/meta/x"/>', '<e n="8"/>',
			''].join('\n'));
		await withSources({
			lines: { command: `cat ${lab.path('lines')}; sleep 100`, subject: '/hostile/lines' },
			xml: { command: `cat ${lab.path('elements')}; sleep 100`, subject: '/hostile/xml', format: 'xml' },
		}, async (program) => {
			const seen = [];
			while (!seen.includes('good 2') || !seen.includes('8')) {
				const e = await ann.channel.next({ p_event: 'data' });
				seen.push(e.get('line') ?? e.get('n'));
			}
			assert.deepEqual(seen.filter((s) => /good/.test(s)), ['good 1', 'good 2']);
			assert.deepEqual(seen.filter((s) => !/good/.test(s)), ['1', '3', '4', '5', '8']);
			for (const line of [2, 3, 4, 5])
				assert.match(program.output, new RegExp(`lines: line ${line}: not published`));
			for (const line of [2, 4, 5, 7, 8, 10, 11, 12, 13, 14])
				assert.match(program.output, new RegExp(`xml: line ${line}: not`), `line ${line}`);
			assert.doesNotMatch(program.output, /started.*started/);
		});
		await ann.leave();
	});
});

describe('a source that', () => {
	it('crashes is started again, after twice as long each time', async () => {
		const ann = await listen('/crash');

		await withSources({ crash: {
			command: 'echo run; kill -SEGV $$', subject: '/crash',
		}, fine: {
			command: 'echo fine; sleep 100', subject: '/fine',
		} }, async (program) => {
			for (let i = 0; i < 3; i++)
				await ann.channel.next({ line: 'run' });
			await program.said(/crash: ended by signal 11 \(.*\); again in 1 s$/m);
			await program.said(/crash: ended by signal 11 \(.*\); again in 2 s$/m);
			await program.said(/crash: ended by signal 11 \(.*\); again in 4 s$/m);
			const [first, second, third] = ann.channel.times.slice(-3);
			assert.ok(second - first >= 990 && third - second >= 1990, `${second - first} ${third - second}`);
			assert.equal([...program.output.matchAll(/fine: started/g)].length, 1);
		});
		await ann.leave();
	});

	it('ends is not started again if it is not to be', async () => {
		await withSources({
			never: { command: 'exit 1', subject: '/r', restart: 'never' },
			failure: { command: 'exit 0', subject: '/r', restart: 'failure' },
			failed: { command: 'exit 3', subject: '/r', restart: 'failure' },
		}, async (program) => {
			await program.said(/never: ended with status 1$/m);
			await program.said(/failure: ended with status 0$/m);
			await program.said(/failed: ended with status 3; again in 2 s$/m);
			assert.equal([...program.output.matchAll(/(never|failure): started/g)].length, 2);
		});
	});

	it('leaves something behind takes it along', async () => {
		await withSources({ fork: {
			command: `(trap '' TERM; echo $$ >${lab.path('left')}; while :; do sleep 100; done) & `
				+ `sh -c 'echo $$ >${lab.path('left')}; exec sleep 100' & sleep 0.3; exit 7`,
			subject: '/fork', restart: 'never',
		} }, async (program) => {
			const pid = program.pidOf('fork');
			await program.said(/fork: ended with status 7$/m);
			for (const left of [pid, ...linesOf('left').map(Number)])
				assert.ok(!lives(left), `${left} lives`);
		});
	});

	it('floods is read at its rate, and others go on', async () => {
		const ann = await listen('/flood');
		const bob = await listen('/calm');

		await withSources({
			flood: { command: 'exec yes', subject: '/flood', rate: 100 },
			xml: { command: `yes '<e/>'`, subject: '/torrent', format: 'xml', rate: 1_000_000 },
			calm: { command: 'while sleep 0.1; do echo calm; done', subject: '/calm' },
		}, async (program) => {
			const memory = () => Number(readFileSync(`/proc/${program.pid}/status`, 'utf8')
				.match(/VmRSS:\s+(\d+)/)[1]);
			await ann.channel.next({ line: 'y' });
			const before = memory();
			const began = Date.now();
			for (let i = 0; i < 250; i++)
				await ann.channel.next({ line: 'y' });
			const took = Date.now() - began;
			assert.ok(took >= 2200, `250 events in ${took} ms`);
			for (let i = 0; i < 10; i++)
				await bob.channel.next({ line: 'calm' });
			/* A sanitizer keeps what is freed. */
			if (!process.env.PUSHLET_SANITIZE)
				assert.ok(memory() - before < 4096, `${before} kB, then ${memory()} kB`);
			/* It waits for us, instead of working. */
			assert.match(readFileSync(`/proc/${program.pidOf('flood')}/stat`, 'latin1'), /\) S /);
		});
		await ann.leave();
		await bob.leave();
	});

	it('floods with what is no event is read no faster', async () => {
		const ann = await listen('/junk');

		await withSources({
			endless: { command: 'exec cat /dev/zero', subject: '/junk', rate: 10 },
			broken: { command: `exec yes "$(printf '\\377')"`, subject: '/junk', rate: 10 },
			xml: { command: 'exec yes "&"', subject: '/junk', format: 'xml', rate: 10 },
			clock: { command: 'for i in 1 2 3 4 5; do sleep 0.3; echo $i; done; sleep 100', subject: '/junk' },
		}, async (program) => {
			for (let i = 1; i <= 5; i++)
				await ann.channel.next({ line: i });
			for (const name of ['endless', 'broken', 'xml']) {
				const written = Number(readFileSync(`/proc/${program.pidOf(name)}/io`, 'utf8')
					.match(/wchar: (\d+)/)[1]);
				assert.ok(written < 2_000_000, `${name}: ${written} bytes`);
			}
		});
		await ann.leave();
	});

	it('is silent for too long is started again, and one that may be is not', async () => {
		const ann = await listen('/silent');

		await withSources({
			stuck: { command: 'echo up; exec sleep 1000', subject: '/silent', silence: 1 },
			quiet: { command: 'exec sleep 1000', subject: '/quiet' },
		}, async (program) => {
			await ann.channel.next({ line: 'up' });
			await program.said(/stuck: stopped: it said nothing for 1 s; again in 1 s$/m);
			await ann.channel.next({ line: 'up' });
			assert.equal([...program.output.matchAll(/quiet: started/g)].length, 1);
		});
		await ann.leave();
	});
});

describe('a source on demand', () => {
	const ticker = (subject, more = {}) => ({
		command: 'while echo tick; do sleep 0.1; done', subject, when: 'subscribed', ...more,
	});

	it('runs while somebody is subscribed, and again for the next one', async () => {
		await withSources({ tick: ticker('/demand/a'), other: ticker('/demand/b') }, async (program) => {
			const ann = await listen('/demand/a');
			await ann.channel.next({ line: 'tick' });
			const first = program.pidOf('tick');
			const stopped = program.says(/tick: stopped: nobody is subscribed to it$/m);
			await ann.leave();
			await stopped;
			assert.ok(!lives(first));

			const bob = await listen('/demand');	/* a beginning of both */
			await bob.channel.next({ line: 'tick' });
			assert.notEqual(program.pidOf('tick'), first);
			await program.said(/other: started/);
			await bob.leave();
		});
	});

	it('outlives the reload of a page', async () => {
		await withSources({ tick: ticker('/reload') }, async (program) => {
			for (let i = 0; i < 3; i++) {
				const ann = await listen('/reload');
				await ann.channel.next({ line: 'tick' });
				await ann.leave();
			}
			assert.equal([...program.output.matchAll(/tick: started/g)].length, 1);
			assert.doesNotMatch(program.output, /stopped/);
		}, { all: { grace: 20 } });
	});

	it('of XML is also wanted by those below its subject, one of lines is not', async () => {
		await withSources({
			lines: ticker('/below'),
			xml: ticker('/below', {
				command: `while echo '<e p_subject="/below/x/y" n="1"/>'; do sleep 0.1; done`, format: 'xml',
			}),
		}, async (program) => {
			const ann = await listen('/below/x');
			await ann.channel.next({ n: 1 });
			assert.doesNotMatch(program.output, /lines: started/);
			await ann.leave();
		});
	});
});

describe('SIGHUP', () => {
	const sleeper = (n) => ({ command: `exec sleep ${n}`, subject: '/hup' });

	it('leaves what is unchanged, restarts what changed, stops what is gone', async () => {
		await withSources({ same: sleeper(1001), changed: sleeper(1002), gone: sleeper(1003) }, async (program) => {
			await program.said(/gone: started/);
			const same = program.pidOf('same');
			const changed = program.pidOf('changed');
			const gone = program.pidOf('gone');

			await program.reload({ fresh: sleeper(1004), changed: sleeper(1005), same: sleeper(1001) });
			await program.said(/fresh: started/);
			await program.said(/gone: stopped$/m);
			await until('the changed one to be another', () => program.pidOf('changed') !== changed);
			assert.ok(!lives(changed) && !lives(gone));
			assert.equal(program.pidOf('same'), same);
			assert.ok(lives(same));
			await until('it to be the new command', () =>
				/1005/.test(readFileSync(`/proc/${program.pidOf('changed')}/cmdline`, 'latin1')));
		});
	});

	it('with a bad file changes nothing, and says the line', async () => {
		await withSources({ same: sleeper(1001) }, async (program) => {
			await program.said(/same: started/);
			await program.reload('\nsource.same.command=date\nsource.same.rate=many\n',
				/:3: source\.same\.rate must be .*not 'many'[^]*not reloaded; the old sources stay/);
			assert.ok(lives(program.pidOf('same')));
			await program.reload({ same: sleeper(1001) });
			assert.equal([...program.output.matchAll(/same: started/g)].length, 1);
		});
	});

	it('waits for the old one of a name before it starts the new one', async () => {
		const stubborn = (n) => ({
			command: `trap '' TERM; echo ${n} >>${lab.path('stubborn')}; while :; do sleep 0.1; done`, subject: '/hup',
		});

		await withSources({ one: stubborn(1) }, async (program) => {
			await until('its first line', () => linesOf('stubborn').length === 1);
			const old = program.pidOf('one');
			await program.reload({ one: stubborn(2) });
			await until('its second line', () => linesOf('stubborn').length === 2);
			assert.ok(!lives(old));
		});
	});
});

describe('the end', () => {
	/* Writes its name when it is told to end. */
	const polite = (name) => ({
		command: `trap 'echo ${name} >>${lab.path('order')}; exit 0' TERM; echo up; while :; do sleep 0.1; done`,
		subject: '/end',
	});

	it('comes for one after the other, the last of the file first', async () => {
		const ann = await listen('/end');
		const program = await start({ a: polite('a'), b: polite('b'), c: polite('c') });

		for (let i = 0; i < 3; i++)
			await ann.channel.next({ line: 'up' });
		const pids = ['a', 'b', 'c'].map((name) => program.pidOf(name));
		await program.stop();
		assert.deepEqual(linesOf('order'), ['c', 'b', 'a']);
		assert.match(program.output, /c: stopped\n[^]*b: stopped\n[^]*a: stopped\n/);
		assert.ok(!pids.some(lives));
		await ann.leave();
	});

	it('does not wait for what the rate has kept back', async () => {
		const ann = await listen('/kept');
		const program = await start({ seq: { command: 'seq 10000', subject: '/kept', rate: 1 } });

		await ann.channel.next({ line: 1 });
		await until('the command to have ended', () => !lives(program.pidOf('seq')));
		assert.doesNotMatch(program.output, /seq: ended/);
		await program.stop();
		await ann.leave();
	});

	const stubborn = (n) => ({
		command: `trap '' TERM; echo $$ >>${lab.path(`pids${n}`)}; (while :; do sleep 0.1; done) & `
			+ `echo $! >>${lab.path(`pids${n}`)}; sleep 1000 | cat`, subject: '/end',
	});
	const pidsIn = async (n) => {
		await until('their pids', () => linesOf(`pids${n}`).length === 4);
		return linesOf(`pids${n}`).map(Number);
	};

	it('is forced upon who does not want to', async () => {
		const program = await start({ a: stubborn(1), b: stubborn(1) });
		const pids = await pidsIn(1);

		await program.stop();
		assert.ok(!pids.some(lives));
	});

	it('comes at once when it is asked for twice', async () => {
		const program = await start({ a: stubborn(2), b: stubborn(2) }, { all: { stop: 600 } });
		const pids = await pidsIn(2);

		program.guarded.stopping = true;
		await until('the end', () => {
			program.signal('SIGTERM');
			return !program.running;
		});
		assert.match(program.output, /told to stop again: sources are killed/);
		assert.equal(await program.guarded.exited, 0);
		assert.ok(!pids.some(lives));
	});

	it('comes for all of them when pushlet-sources is killed', async () => {
		const program = await start({ a: stubborn(3), b: stubborn(3) });
		const pids = await pidsIn(3);

		await program.killed('SIGKILL');
		await until('all to be gone', () => !pids.some(lives));
	});

	it('comes also when their warden was killed before', async () => {
		const program = await start({ a: stubborn(4), b: stubborn(4) });
		const pids = await pidsIn(4);
		const wardens = () => readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8')
			.split(' ').map(Number).filter((pid) => pid
				&& /^pushlet-warden/.test(readFileSync(`/proc/${pid}/comm`, 'utf8')));
		const [warden] = wardens();

		process.kill(warden, 'SIGKILL');
		await program.said(/the warden died; another one is started/);
		await until('another warden', () => wardens().length === 1 && wardens()[0] !== warden);
		await program.killed('SIGKILL');
		await until('all to be gone', () => !pids.some(lives));
	});
});

describe('the segment', () => {
	it('may come later, be destroyed, and be made anew', async () => {
		const own = new Lab();

		try {
			const program = await new Sources(own).start({
				tick: { command: 'while echo tick; do sleep 0.1; done', subject: '/tick' },
				demand: { command: 'while echo asked; do sleep 0.1; done', subject: '/demand', when: 'subscribed' },
			});
			await program.said(/there is no such segment/);
			const client = (await own.nginx(await own.pushletd())).client();
			await program.said(/there is a segment again; \d+ events were lost/);
			for (let i = 0; i < 2; i++) {
				const ann = await client.joinListen({ mode: 'stream', subject: '/tick' });
				await ann.channel.next({ line: 'tick' });
				const bob = await client.joinListen({ mode: 'stream', subject: '/demand' });
				await bob.channel.next({ line: 'asked' });
				const { status, stderr } = await own.ctl('destroy', '--force');
				assert.equal(status, 0, stderr);
			}
			assert.equal([...program.output.matchAll(/tick: started/g)].length, 1);
		} finally {
			await own.close();
		}
	});
});

describe('users', () => {
	it('are changed by root, with their groups and no way back', { skip: !IS_ROOT && 'needs root' }, async () => {
		const ann = await listen('/user');

		await withSources({ user: {
			command: 'echo "$(id -u) $(id -g) $(id -G) $HOME"; grep NoNewPrivs /proc/self/status; sleep 100',
			subject: '/user', user: 'nobody',
		} }, async () => {
			await ann.channel.next({ line: /^65534 65534 65534 \/nonexistent$/ });
			await ann.channel.next({ line: /NoNewPrivs:\t1/ });
		});
		await ann.leave();
	});

	it('cannot be changed by others', { skip: !IS_ROOT && 'needs root' }, async () => {
		const program = new Sources(lab, { uid: NOBODY });

		await assert.rejects(program.start({ user: { command: 'id', subject: '/user', user: 'daemon' } }),
			/source\.user\.user: only root can run it as 'daemon'/);
		program.guarded.stopping = true;
	});

	it('are not root because somebody else wrote the file', { skip: !IS_ROOT && 'needs root' }, async () => {
		const file = lab.write('open.properties', '', 0o666);
		const { status, stderr } = await tool('pushlet-sources', ['-t', '-c', file]);

		assert.equal(status, 1);
		assert.match(stderr, /open\.properties: its commands would run as root/);
		chmodSync(file, 0o644);
		assert.equal((await tool('pushlet-sources', ['-t', '-c', file])).status, 0);
	});
});

describe('the examples of conf/sources.properties', () => {
	const example = (name, change = (text) => text) => change(
		readFileSync(`${CONF}/sources.properties`, 'utf8').split('\n')
			.map((line) => line.replace(/^#(?=source\.)/, ''))
			.filter((line) => line.startsWith(`source.${name}.`)).join('\n'));

	it('are a file without mistakes', async () => {
		const { status, stderr } = await tool('pushlet-sources', ['-t', '-c', `${CONF}/sources.properties`]);

		assert.equal(status, 0, stderr);
	});

	it('tell the load of the system', async () => {
		const ann = await listen('/system');

		await withSources(example('load'), async () => {
			for (let i = 0; i < 2; i++)
				await ann.channel.next({ p_subject: '/system/load', load1: /^\d+\.\d+$/, tasks: /^\d+\/\d+$/ });
		});
		await ann.leave();
	});

	it('follow a log file, also when it is rotated', async () => {
		const file = lab.write('syslog', 'old\n');
		const ann = await listen('/log/syslog');

		await withSources(example('log', (text) => text.replace('/var/log/syslog', file)), async (program) => {
			await program.said(/log: started/);
			await until('tail to have it open', () => {
				try {
					return readFileSync(`/proc/${program.pidOf('log')}/comm`, 'utf8') === 'tail\n'
						&& /pos:\s+4/.test(readFileSync(`/proc/${program.pidOf('log')}/fdinfo/3`, 'utf8'));
				} catch {
					return false;
				}
			});
			appendFileSync(file, 'one\n');
			await ann.channel.next({ text: 'one' });
			renameSync(file, `${file}.1`);
			writeFileSync(file, 'two\n');
			await ann.channel.next({ text: 'two' });
		});
		await ann.leave();
	});

	const mosquitto = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync);
	const installed = mosquitto && ['/usr/bin/mosquitto_sub', '/usr/local/bin/mosquitto_sub'].some(existsSync);

	it('bring messages of MQTT', { skip: !installed && 'mosquitto and mosquitto_sub are not installed' }, async () => {
		const port = await freePort();
		const broker = lab.guard(new Guarded('mosquitto', mosquitto, ['-c', lab.write('mosquitto.conf',
			`listener ${port} 127.0.0.1\nallow_anonymous true\nuser ${IS_ROOT ? 'root' : ''}\n`)]));
		const local = (text) => text.replaceAll('-h localhost', `-h 127.0.0.1 -p ${port}`);
		const say = async (topic, text) => {
			const { status, stderr } = await run('mosquitto_pub',
				['-h', '127.0.0.1', '-p', String(port), '-r', '-t', topic, '-m', text]);
			assert.equal(status, 0, stderr);
		};
		const nasty = 'a "b" <c> & \\ \u00e4';
		const ann = await listen('/mqtt');

		await broker.line(/mosquitto version .* running|Opening ipv4 listen socket/);
		await until('the broker to answer', async () => (await run('mosquitto_pub',
			['-h', '127.0.0.1', '-p', String(port), '-t', 'x', '-n'])).status === 0);
		/* Retained: it does not matter who comes first. */
		await say('sensors/attic', nasty);
		await withSources(`${example('mqtt', local)}\n${example('topics', local)}\n`, async () => {
			const seen = {};
			while (!seen.json || !seen.xml) {
				const e = await ann.channel.next({ p_event: 'data' });
				seen[e.get('json') ? 'json' : 'xml'] = e;
			}
			const message = JSON.parse(seen.json.get('json'));
			assert.equal(message.topic, 'sensors/attic');
			assert.equal(message.payload, nasty);
			assert.equal(seen.xml.get('p_subject'), '/mqtt/sensors/attic');
			assert.equal(seen.xml.get('payload'), nasty);
		});
		await ann.leave();
		await broker.stop();
	});
});
