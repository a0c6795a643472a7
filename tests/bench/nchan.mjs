// SPDX-License-Identifier: MIT
//
// nchan.mjs - the push module for nginx that Debian has, as a site: nginx with
// it is responder and front in one
//
// Its streams are HTTP without an end, its publishers post an event a request.

import { existsSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { Nginx } from '../lib/fronts.mjs';
import { Guarded } from '../lib/process.mjs';
import { program } from '../lib/paths.mjs';
import { Site } from './site.mjs';
import { ended } from './meter.mjs';

const MODULE = process.env.NCHAN_MODULE
	?? '/usr/lib/nginx/modules/ngx_nchan_module.so';

export const installed = () => existsSync(MODULE);

class NchanNginx extends Nginx {
	constructor(lab) {
		super(lab, [{}]);
	}

	spawn() {
		const { lab } = this;
		const temporary = ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi']
			.map((t) => `${t}_temp_path ${lab.path(`nginx-${t}`)};`);

		lab.write('nginx.conf', [
			`load_module ${MODULE};`,
			process.getuid() === 0 ? 'user root;' : '',
			'daemon off; worker_processes 1;',
			`worker_rlimit_nofile ${this.connections + 2048};`,
			`pid ${lab.path('nginx.pid')}; error_log stderr warn;`,
			`events { worker_connections ${this.connections}; }`,
			'http {', ...temporary, 'access_log off; keepalive_requests 1000000;',
			`server { listen 127.0.0.1:${this.port}; nchan_channel_id bench;`,
			'location /sub { nchan_subscriber http-raw-stream;',
			'nchan_subscriber_first_message newest; }',
			'location /pub { nchan_publisher; } } }',
		].join('\n'));
		return new Guarded('nginx', program('nginx'),
			['-e', 'stderr', '-c', lab.path('nginx.conf'), '-p', lab.dir]);
	}
}

/* Posts what comes, one after the other, on one connection. */
async function post(port, lines) {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });

	for await (const line of lines)
		await new Promise((done, fail) => {
			const sent = request({ agent, port, path: '/pub', method: 'POST' },
				(answer) => answer.on('end', done).resume());
			sent.on('error', fail).end(line);
		});
	agent.destroy();
}

export class Nchan extends Site {
	name = 'nchan';

	server() { return new NchanNginx(this.lab); }
	async start({ streams }) { await this.front(streams); }

	pids() { return []; }
	streams(n) { return this.load.clients(n, 0, '/sub'); }

	publish(options) {
		const feed = this.feed('events', 'pipe', options);
		const posted = post(this.nginx.port, createInterface({ input: feed.stdout }));

		return { cpu: () => 0, finish: async () => {
			await posted;
			await ended(feed, 'feed');
		} };
	}
}
