// SPDX-License-Identifier: MIT
//
// options.test.mjs - pushletd: options, properties, messages

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Lab } from '../lib/lab.mjs';
import { binary, CONF, DATA } from '../lib/paths.mjs';
import { Guarded, tool } from '../lib/process.mjs';
import { rows } from '../lib/rows.mjs';

describe('pushletd', () => {
	const lab = new Lab();
	const bad = (text) => () => ['-f', '-n', lab.segment, '-s', `unix:${lab.path('x.sock')}`,
		'-c', lab.write('bad.properties', text)];
	const with_ = (...args) => () => ['-f', '-n', lab.segment, ...args];
	const here = (...args) => with_('-s', `unix:${lab.path('x.sock')}`, ...args);
	const guarded = (args, options) => lab.guard(
		new Guarded('pushletd', binary('pushletd'), args, options));
	let other, port;

	before(async () => {
		other = createServer().listen(0, '127.0.0.1');
		await new Promise((done) => { other.on('listening', done); });
		({ port } = other.address());
	});
	after(async () => {
		other.close();
		await lab.close();
	});

	rows('pushletd', [
		['an argument', with_('x'), 1, /x/],
		['no socket at all', with_(), 1, /-s|socket/],
		['an address that is none', with_('-s', 'nonsense'), 1, /nonsense/],
		['an address without a port', with_('-s', '127.0.0.1:'), 1, /127\.0\.0\.1:/],
		['a port that is none', with_('-s', '127.0.0.1:99999'), 1, /99999/],
		['an unknown host', with_('-s', 'no.such.host.invalid:9000'), 1, /no\.such\.host\.invalid/],
		['a directory that does not exist', with_('-s', 'unix:/nonexistent/dir/x'), 1,
			/\/nonexistent\/dir\/x.*No such file/],
		['too long a socket path', with_('-s', `unix:/tmp/${'x'.repeat(120)}`), 1, /at most 107 bytes/],
		['an empty socket path', with_('-s', 'unix:'), 1, /unix:/],
		['a port in use', () => ['-f', '-n', lab.segment, '-s', `127.0.0.1:${port}`], 1,
			() => new RegExp(`127\\.0\\.0\\.1:${port}.*in use`)],
		['a mode that is no octal number', here('-m', '9'), 1, /'?9'?/],
		['no threads', here('-t', '0'), 1, /-t|threads/],
		['threads that are no number', here('-t', 'many'), 1, /many/],
		['a negative number of workers', here('-w', '-1'), 1, /-1/],
	]);
	rows('pushletd', [
		['a property without =', here('-o', 'queue.size'), 1, /-o: 'queue\.size' has no '='/],
		['an unknown property', here('-o', 'nonsense=1'), 1, /-o: unknown property 'nonsense'/],
		['a bad value', here('-o', 'queue.size=lots'), 1,
			/-o: queue\.size must be a whole number from 1 to 65536, not 'lots'/],
		['a bad choice', here('-o', 'queue.overflow=explode'), 1, /drop-oldest\|abort, not 'explode'/],
		['a bad truth', here('-o', 'listen.force.pull.all=maybe'), 1, /true or false, not 'maybe'/],
		['bad minutes', here('-o', 'session.timeout.mins=soon'), 1, /minutes.*'soon'/],
		['a bad mode', here('-o', 'shm.mode=0777'), 1, /shm\.mode/],
		['a group that does not exist', here('-o', 'shm.group=nosuchgroup'), 1, /nosuchgroup/],
		['a file that does not exist', with_('-s', 'unix:/tmp/x', '-c', '/nonexistent.properties'), 1,
			/\/nonexistent\.properties: cannot be read: No such file/],
		['an unknown name in the file', bad('# x\n\nnonsense=1\n'), 1,
			/bad\.properties:3: unknown property 'nonsense'/],
		['a bad value in the file', bad('queue.size=0\n'), 1, /bad\.properties:1: queue\.size must be/],
		['a line without =', bad('queue.size\n'), 1, /bad\.properties:1: there is no '='/],
		['a section', bad('[server]\n'), 1, /bad\.properties:1: a property file has no \[sections\]/],
		['a minimum above its maximum', bad('pull.refresh.wait.min.millis=9000\n'), 1,
			/pull\.refresh\.wait\.min\.millis \(9000\) is more than pull\.refresh\.wait\.max\.millis/],
		['a log too small for its events', bad('log.max.bytes=65536\n'), 1, /log\.max\.bytes must be at least/],
	], 'properties');

	it('names every mistake of a file in one run', async () => {
		const { stderr } = await tool('pushletd', bad('a=1\nqueue.size=x\nb=2\n')());

		for (const line of [1, 2, 3])
			assert.match(stderr, new RegExp(`bad\\.properties:${line}:`));
	});

	it('leaves nothing behind when it could not start', () => {
		assert.ok(!existsSync(lab.shmFile) && !existsSync(lab.path('x.sock')));
	});

	it('loads a file of the original server unchanged, with one notice', async () => {
		copyFileSync(join(DATA, 'original.properties'), lab.path('original.properties'));
		const pushletd = guarded(['-f', '-n', lab.segment,
			'-c', lab.path('original.properties'), '-s', `unix:${lab.path('o.sock')}`]);

		await pushletd.line(/^pushletd: ready:/m);
		const notices = pushletd.output.match(/.*accepted without effect.*/g);
		assert.equal(notices.length, 1, pushletd.output);
		for (const key of ['config.version', 'logger.class', 'session.id.size',
			'session.id.generation', 'sources.activate'])
			assert.ok(notices[0].includes(key), notices[0]);
		await pushletd.stop();
		await lab.ctl('destroy');
	});

	it('loads the shipped file, which holds the defaults', async () => {
		copyFileSync(join(CONF, 'pushlet.properties'), lab.path('shipped.properties'));
		const pushletd = guarded(['-f', '-n', lab.segment,
			'-c', lab.path('shipped.properties'), '-s', `unix:${lab.path('o.sock')}`]);

		await pushletd.line(/^pushletd: ready:/m);
		assert.ok(statSync(lab.shmFile).size < 64 * 1024 * 1024, 'less than 64 MB');
		await pushletd.stop();
		await lab.ctl('destroy');
	});

	it('reads $PUSHLET_CONF, under -o and -n', async () => {
		lab.write('env.properties', 'shm.name=/pushlet-test-wrong\nqueue.size=11\n');
		const pushletd = guarded(['-f', '-n', lab.segment,
			'-o', 'queue.size=12', '-s', '127.0.0.1:0'],
		{ env: { PUSHLET_CONF: lab.path('env.properties') } });
		const [, name, address, threads] = await pushletd.line(
			/^pushletd: ready: segment (\S+), (\S+), (\d+) threads, pid \d+$/m);

		assert.equal(name, lab.segment);
		assert.equal(threads, '4');
		assert.match(address, /^127\.0\.0\.1:\d+$/);
		assert.equal((await lab.status()).limits.queue, 12);
		await pushletd.stop();
		await lab.ctl('destroy');
	});

	it('makes its socket with the mode of -m, and removes it at the end', async () => {
		const path = lab.path('m.sock');
		const pushletd = new Guarded('pushletd', binary('pushletd'),
			['-f', '-n', lab.segment, '-m', '0640', '-s', `unix:${path}`]);

		await pushletd.line(/^pushletd: ready:/m);
		assert.equal(statSync(path).mode & 0o777, 0o640);
		await pushletd.stop();
		assert.ok(!existsSync(path), 'the socket is gone');
		assert.ok(existsSync(lab.shmFile), 'the segment stays');
		await lab.ctl('destroy');
	});

	it('does not take over the socket of a running process, but that of a dead one', async () => {
		const path = lab.path('busy.sock');
		const args = ['-f', '-n', lab.segment, '-s', `unix:${path}`];
		const first = guarded(args);

		await first.line(/^pushletd: ready:/m);
		const second = await tool('pushletd', args);
		assert.equal(second.status, 1);
		assert.match(second.stderr, /busy\.sock: another server listens there/);
		await first.killed('SIGKILL');
		const third = guarded(args);
		await third.line(/^pushletd: ready:/m);
		await third.stop();
		await lab.ctl('destroy');
	});

	it('logs its requests with -v, and no session id', async () => {
		const pushletd = await lab.pushletd({ args: ['-v'] });
		const web = (await lab.nginx(pushletd)).client();
		const said = pushletd.says(/^pushletd\[\d+\]: .*request join/m);
		const ann = await web.join();

		await said;
		const listen = pushletd.says(/request listen/);
		(await ann.listen({ mode: 'stream', subject: '/a' })).close();
		await listen;
		assert.ok(!pushletd.output.includes(ann.id), pushletd.output);
		for (const thing of lab.running.splice(0).reverse())
			await thing.stop();
	});
});
