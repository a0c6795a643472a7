// SPDX-License-Identifier: MIT
//
// fronts.mjs - private web servers that run the configurations of conf/
//
// Each server gets a small main file made here and the shipped file with a few
// visible values replaced (ports, paths).  A value that is not in the shipped
// file is an error, so what is tested is what is shipped.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, chmodSync,
	chownSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from './client.mjs';
import { Guarded, sanitizerReport } from './process.mjs';
import { ownProgram, pidsOf, Started } from './relay.mjs';
import { LIMIT, until, within } from './wait.mjs';
import { binary, CONF, IS_ROOT, program } from './paths.mjs';

/* The file of conf/ with each [shipped, ours] replaced. */
export function shipped(name, replacements) {
	let text = readFileSync(join(CONF, name), 'utf8');

	for (const [from, to] of replacements) {
		if (!text.includes(from))
			throw new Error(`conf/${name} does not contain ${from}`);
		text = text.replaceAll(from, to);
	}
	return text;
}

export function freePort() {
	return new Promise((done, fail) => {
		const server = createServer();

		server.on('error', fail);
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => done(port));
		});
	});
}

function accepts(port) {
	return new Promise((done) => {
		const socket = connect(port, '127.0.0.1');

		socket.on('connect', () => { socket.destroy(); done(true); });
		socket.on('error', () => done(false));
	});
}

class Front {
	constructor(lab) {
		this.lab = lab;
		this.path = '/pushlet/pushlet.srv';
	}

	get url() { return `http://127.0.0.1:${this.port}${this.path}`; }
	get pid() { return this.guarded.pid; }

	client(options) { return new Client(this.url, { lab: this.lab, ...options }); }

	/* The port was free a moment ago; another process may be faster. */
	async start() {
		for (let attempt = 1; ; attempt++) {
			this.port = await freePort();
			this.guarded = this.spawn();
			const up = await until(`${this.name} on port ${this.port}`,
				async () => !this.guarded.alive || await accepts(this.port));
			if (up && this.guarded.alive)
				return;
			if (attempt === 5 || !/in use/i.test(this.log()))
				throw new Error(`${this.name} ended `
					+ `(${this.guarded.status}):\n${this.log()}`);
		}
	}

	/* What the server and the programs it started have logged. */
	log() {
		return this.guarded.output + this.logs().filter(existsSync)
			.map((file) => readFileSync(file, 'utf8')).join('');
	}

	/* A promise of the first match in what is logged from now on. */
	says(pattern) {
		const from = this.log().length;

		return until(`${pattern} in the log of ${this.name}`,
			() => this.log().slice(from).match(pattern));
	}

	check() {
		if (!this.guarded)
			return;
		const report = sanitizerReport(this.log());
		if (report)
			throw new Error(`${this.name} logged\n${report}`);
		this.guarded.check();
	}

	logs() { return []; }
	kill(signal) { this.guarded?.kill(signal); }
	get running() { return this.guarded?.running; }
	signal(signal) { this.guarded.child.kill(signal); }

	async stop() {
		await this.guarded?.stop();
		this.check();
	}
}

export class Nginx extends Front {
	/* options: replace (further [shipped, ours] of the configuration) */
	constructor(lab, [pushletd, { replace = [] } = {}]) {
		super(lab);
		this.replace = replace;
		this.name = 'nginx';
		this.connections = 2048;	/* a stream takes two */
		this.pushletd = pushletd;
		this.accessLog = lab.path('nginx-pushlet.log');
	}

	/* The site as it is shipped, for here. */
	site() {
		return shipped('nginx.conf', [
			['listen 80;', `listen 127.0.0.1:${this.port};`],
			['unix:/run/pushlet/pushlet.sock', this.pushletd.address],
			['/var/log/nginx/pushlet.log', this.accessLog], ...this.replace,
		]);
	}

	spawn() {
		const { lab } = this;
		const temporary = ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi']
			.map((t) => `${t}_temp_path ${lab.path(`nginx-${t}`)};`);

		lab.write('pushlet.nginx.conf', this.site());
		lab.write('nginx.conf', [
			IS_ROOT ? 'user root;' : '',
			'daemon off; worker_processes 1;',
			`worker_rlimit_nofile ${this.connections + 2048};`,
			`pid ${lab.path('nginx.pid')}; error_log stderr info;`,
			`events { worker_connections ${this.connections}; }`,
			'http {', ...temporary, 'access_log off;',
			`include ${lab.path('pushlet.nginx.conf')};`, '}',
		].join('\n'));
		return new Guarded('nginx', program('nginx'),
			['-e', 'stderr', '-c', lab.path('nginx.conf'), '-p', lab.dir]);
	}
}

export class Apache extends Front {
	/* Debian's layout; another one is named by APACHE_MODULES. */
	modules(...names) {
		const dir = process.env.APACHE_MODULES
			|| ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules',
				'/usr/libexec/apache2'].find(existsSync);

		return ['mpm_event', 'authz_core', 'authz_host', 'setenvif', 'env', 'unixd', 'log_config',
			...names].filter((n) => existsSync(join(dir, `mod_${n}.so`)))
			.map((n) => `LoadModule ${n}_module ${join(dir, `mod_${n}.so`)}`);
	}

	spawnWith(modules, site, extra = []) {
		const { lab } = this;
		const run = lab.path('apache');

		if (!existsSync(run)) {
			mkdirSync(run);
			chmodSync(run, 0o777);
		}
		lab.write('site.conf', site);
		lab.write('apache2.conf', [
			`ServerRoot ${lab.dir}`, 'ServerName 127.0.0.1',
			`Listen 127.0.0.1:${this.port}`, `Define APACHE_LOG_DIR ${run}`,
			`DefaultRuntimeDir ${run}`, `PidFile ${run}/apache.pid`,
			`ErrorLog ${lab.path('apache-error.log')}`, 'LogLevel info',
			`Mutex file:${run} default`, ...this.modules(...modules),
			/* Apache answers no request as root. */
			...(IS_ROOT ? [`User ${Apache.user.name}`, `Group #${Apache.user.gid}`] : []),
			'LogFormat "%r" combined', ...extra,
			`Include ${lab.path('site.conf')}`,
		].join('\n'));
		return new Guarded(this.name, Apache.program(),
			['-f', lab.path('apache2.conf'), '-D', 'FOREGROUND']);
	}

	logs() { return [this.lab.path('apache-error.log')]; }

	get accessLog() { return this.lab.path('apache/pushlet.log'); }

	/* What it makes of its configuration, as it says itself. */
	configuration() {
		return spawnSync(Apache.program(), ['-f', this.lab.path('apache2.conf'),
			'-t', '-D', 'DUMP_RUN_CFG'], { encoding: 'utf8' }).stdout;
	}

	static program() {
		try {
			return program('apache2');
		} catch {
			return program('httpd');
		}
	}

	/* The web server's user of this system, when we are root. */
	static get user() {
		const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
		const [name, , uid, gid] = lines.map((line) => line.split(':'))
			.find(([n]) => ['www-data', 'apache', 'nobody'].includes(n));

		return { name, uid: Number(uid), gid: Number(gid) };
	}
}

export class ApacheFcgid extends Apache {
	/* options: props, args (more options of pushletd), replace (further
	 * [shipped, ours] of the configuration), modules (more of them) */
	constructor(lab, { props = {}, args = '', replace = [], modules = [] } = {}) {
		super(lab);
		this.name = 'Apache with mod_fcgid';
		this.props = props;
		this.args = args;
		this.replace = replace;
		this.more = modules;
	}

	/* What Apache keeps in shared memory, for when it cannot remove it. */
	#sharedMemory() {
		const maps = readFileSync(`/proc/${this.guarded.pid}/maps`, 'utf8');

		return new Set(maps.match(/\/dev\/shm\/ShM\.\w+/g) ?? []);
	}

	/* mod_fcgid that is told to end before its process manager works is stuck
	 * for ever; then it is ended by force. */
	async stop() {
		const { guarded } = this;

		if (guarded?.alive && !guarded.stopping) {
			const left = this.#sharedMemory();

			guarded.stopping = true;
			guarded.child.kill('SIGTERM');
			await within(guarded.exited, LIMIT / 2, () => '').catch(async () => {
				guarded.kill('SIGKILL');
				await guarded.exited;
				left.forEach((path) => rmSync(path, { force: true }));
			});
		}
		await super.stop();
	}

	/* The user of Apache may not be able to look into build/. */
	replacements() {
		return ['apache-mod_fcgid.conf',
			['/usr/sbin/pushletd -t 1', `${ownProgram(this.lab, 'pushletd')} -t 1`],
			['stream.max.seconds=600"', `stream.max.seconds=600${this.args}"`]];
	}

	spawn() {
		const { lab } = this;
		const [file, ...more] = this.replacements();

		mkdirSync(lab.path('fcgid'), { recursive: true });
		if (IS_ROOT)
			chownSync(lab.path('fcgid'), Apache.user.uid, Apache.user.gid);
		lab.properties(this.props);
		return this.spawnWith(['fcgid', ...this.more], shipped(file, [
			['<VirtualHost *:80>', `<VirtualHost *:${this.port}>`],
			...more, ...this.replace,
			['/etc/pushlet/pushlet.properties', lab.path('pushlet.properties')],
			/* By which tests/run knows what it finds afterwards. */
		]), [`FcgidInitialEnv TMPDIR ${tmpdir()}`, `FcgidIPCDir ${lab.path('fcgid')}`,
			`FcgidProcessTableFile ${lab.path('fcgid')}/table`]);
	}
}

/* Relays, and the one pushletd that they start. */
export class ApacheRelay extends ApacheFcgid {
	constructor(lab, options) {
		super(lab, options);
		this.name = 'Apache with mod_fcgid and relays';
		this.pushletd = new Started(lab.path('pushletd'));
	}

	replacements() {
		const { lab } = this;
		const socket = lab.path('fcgid/relay.sock');

		return ['apache-mod_fcgid-relay.conf', [
			'"/usr/sbin/pushlet-relay unix:/run/pushlet/relay.sock -- /usr/sbin/pushletd',
			`"${ownProgram(lab, 'pushlet-relay')} unix:${socket} -- ${
				ownProgram(lab, 'pushletd')}${this.args}`]];
	}

	get relays() { return pidsOf(this.lab.path('pushlet-relay')); }

	/* A graceful restart; returns when the relays of before are gone. */
	async graceful() {
		const before = this.relays;
		const resumed = this.says(/resuming normal operations/);

		this.signal('SIGUSR1');
		await resumed;
		await until('the old relays to end', () =>
			!this.relays.some((pid) => before.includes(pid)));
	}

	kill(signal) {
		super.kill(signal);
		this.pushletd.kill(signal);
	}

	get running() { return super.running || this.pushletd.running; }

	async stop() {
		await super.stop();
		await this.pushletd.stop();
	}
}

export class ApacheProxy extends Apache {
	/* options: replace, modules, as above */
	constructor(lab, pushletd, { replace = [], modules = [] } = {}) {
		super(lab);
		Object.assign(this, { name: 'Apache with mod_proxy_fcgi', pushletd, replace,
			more: modules });
	}

	spawn() {
		return this.spawnWith(['proxy', 'proxy_fcgi', ...this.more],
			shipped('apache-proxy_fcgi.conf', [
				['<VirtualHost *:80>', `<VirtualHost *:${this.port}>`],
				['unix:/run/pushlet/pushlet.sock', this.pushletd.address],
				...this.replace,
			]));
	}
}

export class Lighttpd extends Front {
	/* pushletd: a running one, or undefined: lighttpd starts it with the
	 * properties props.  replace: as above */
	constructor(lab, pushletd, { props = {}, replace = [] } = {}) {
		super(lab);
		this.name = 'lighttpd';
		this.pushletd = pushletd;
		this.props = props;
		this.replace = replace;
		this.accessLog = lab.path('lighttpd-pushlet.log');
	}

	spawn() {
		const { lab } = this;
		const socket = this.pushletd?.socket ?? lab.path('lighttpd.sock');
		const started = this.pushletd ? [] : [
			['#"bin-path" => "/usr/sbin/pushletd', `"bin-path" => "${binary('pushletd')}`],
			['#"bin-environment"', '"bin-environment"'],
			['/etc/pushlet/pushlet.properties', lab.path('pushlet.properties')],
			['#"min-procs"', '"min-procs"'],
		];

		if (!this.pushletd)
			lab.properties(this.props);
		mkdirSync(lab.path('htdocs'), { recursive: true });
		lab.write('pushlet.lighttpd.conf', shipped('lighttpd.conf', [
			['/run/pushlet/pushlet.sock', socket],
			['/var/log/lighttpd/pushlet.log', this.accessLog], ...started,
			...this.replace,
		]));
		lab.write('lighttpd.conf', [
			`server.document-root = "${lab.path('htdocs')}"`,
			'server.bind = "127.0.0.1"', `server.port = ${this.port}`,
			`server.upload-dirs = ( "${lab.dir}" )`,
			`server.breakagelog = "${lab.path('lighttpd-breakage.log')}"`,
			`include "${lab.path('pushlet.lighttpd.conf')}"`,
		].join('\n'));
		return new Guarded('lighttpd', program('lighttpd'),
			['-D', '-f', lab.path('lighttpd.conf')],
			/* 1 when it was stopped under an open connection */
			{ statuses: [0, 1] });
	}

	logs() { return [this.lab.path('lighttpd-breakage.log')]; }
}
