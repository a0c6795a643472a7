// SPDX-License-Identifier: MIT
//
// cluster-fronts.mjs - web servers in front of several nodes, with the
// configurations of conf/
//
// These have the nodes n1 to n3; a further one is a line more, which is that of
// n3 but for the number.  Nodes are sockets here, not addresses of a network.

import { Apache, Nginx, shipped } from './fronts.mjs';

/* One more line for each node behind n3. */
function withNodes(text, names, last) {
	if (!text.includes(last))
		throw new Error(`the configuration has no line ${last}`);
	return text.replace(last, [last, ...names.slice(3).map((name) =>
		last.replace(/(10\.0\.0\.|n)3/g, `$1${name.slice(1)}`))].join('\n'));
}

export class NginxCluster extends Nginx {
	constructor(lab, cluster) {
		super(lab, [undefined]);
		this.cluster = cluster;
		this.name = 'nginx in front of a cluster';
	}

	site() {
		const text = shipped('nginx-cluster.conf', [
			['listen 80;', `listen 127.0.0.1:${this.port};`],
			['/var/log/nginx/pushlet.log', this.accessLog]]);

		return withNodes(text, this.cluster.names, '\tserver 10.0.0.3:9001 fail_timeout=2s;')
			.replace(/10\.0\.0\.(\d|\$pushlet_node):9001/g,
				(_, n) => `unix:${this.cluster.socketOf(`n${n}`)}`);
	}

	/* Takes the configuration as it is now; streams go on. */
	async reload() {
		const loaded = this.says(/start worker processes/);

		this.lab.write('pushlet.nginx.conf', this.site());
		this.signal('SIGHUP');
		await loaded;
	}
}

export class ApacheCluster extends Apache {
	constructor(lab, cluster) {
		super(lab);
		this.cluster = cluster;
		this.name = 'Apache in front of a cluster';
	}

	site() {
		const text = shipped('apache-cluster.conf', [
			['<VirtualHost *:80>', `<VirtualHost *:${this.port}>`]]);
		const last = /^\tBalancerMember.* route=n3 .*$/m.exec(text)[0];

		return withNodes(text, this.cluster.names, last)
			.replace(/fcgi:\/\/10\.0\.0\.(\d):9001/g,
				(_, n) => `unix:${this.cluster.socketOf(`n${n}`)}|fcgi://n${n}`);
	}

	spawn() {
		return this.spawnWith(['headers', 'slotmem_shm', 'proxy', 'proxy_fcgi',
			'proxy_balancer', 'lbmethod_byrequests'], this.site());
	}

	async reload() {
		const loaded = this.says(/resuming normal operations/);

		this.lab.write('site.conf', this.site());
		this.signal('SIGUSR1');
		await loaded;
	}
}
