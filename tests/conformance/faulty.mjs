// SPDX-License-Identifier: MIT
//
// faulty.mjs - a server with one fault: passes on what a good one answers, and
// spoils it
//
//	const faulty = lab.guard(new Faulty(nginx.port, FAULTS[0]));
//	await faulty.start();
//
// Each fault: what it is; change(event, index), which gets each event of xml and
// xml-strict as its text and gives what to send instead; or request(target),
// head(status, headers), refuse(text); and what the report has to say: the
// sentence of a case, and the reason.

import http from 'node:http';

const ELEMENT = /<event [^<>]*\/>/g;

const is = (kind, text) => text.includes(`p_event="${kind}"`);
const without = (name) => (text) => text.replace(new RegExp(` ${name}="[^"]*"`), '');
const on = (kind, change) => (text, ...rest) => (is(kind, text) ? change(text, ...rest) : text);

export const FAULTS = [{
	fault: 'forgets p_sid in data events',
	change: on('data', without('p_sid')),
	sentence: /a data event has p_sid/, reason: /p_sid is missing in data/,
}, {
	fault: 'forgets p_sid when it acknowledges a subscription',
	change: on('subscribe-ack', without('p_sid')),
	sentence: /subscribe is answered with subscribe-ack/,
	reason: /p_sid is missing in subscribe-ack/,
}, {
	fault: 'has another content type for xml',
	head: (status, headers) => {
		if (headers['content-type']?.startsWith('text/plain'))
			headers['content-type'] = 'text/html;charset=UTF-8';
	},
	sentence: /answers in format xml are text\/plain/, reason: /content type .* is text\/html/,
}, {
	fault: 'drops p_seq',
	change: without('p_seq'),
	sentence: /p_seq counts the events of a stream/, reason: /p_seq is missing/,
}, {
	fault: 'counts p_seq from 0',
	change: (text) => text.replace(/p_seq="(\d+)"/, (_, n) => `p_seq="${n - 1}"`),
	sentence: /p_seq counts the events of a stream/, reason: /p_seq is "0" and should be "1"/,
}, {
	fault: 'swaps two events',
	change: on('data', (text) => text.replace(/(?<= n=")[67](?=")/, (n) => 13 - n)),
	sentence: /20 events arrive in the order/, reason: /5 7 6 8/,
}, {
	fault: 'sends one event twice',
	change: on('data', (text) => (text.includes(' n="20"') ? text + text : text)),
	sentence: /20 events arrive in the order .*, each once/, reason: /n is "20"/,
}, {
	fault: 'loses one event of many',
	change: on('data', (text) => (text.includes(' n="9"') ? '' : text)),
	sentence: /and so in a pull/, reason: /how many came is 14 and should be 15|8 10/,
}, {
	fault: 'begins no stream with a heartbeat',
	change: (text, index) => (is('hb', text) && index === 1 ? '' : text),
	sentence: /a stream begins with its ack and a heartbeat/, reason: /nothing came|p_seq is "2"/,
}, {
	fault: 'forgets heartbeats',
	change: (text) => (is('hb', text) ? '' : text),
	sentence: /a silent stream has heartbeats/, reason: /nothing came within/,
}, {
	fault: 'answers unknown ids with an ack',
	refuse: (text) => /expired id/.test(text)
		&& '<event p_event="hb-ack" p_time="1763758800" />',
	sentence: /an unknown p_id is a 400/, reason: /answered with status 200 and should be with 400/,
}, {
	fault: 'writes markup raw in xml',
	change: on('data', (text) => text.replaceAll('&lt;', '<')),
	sentence: /markup in format xml: they are escaped/, reason: /a raw < in a value/,
}, {
	fault: 'loses letters that are not ASCII',
	change: on('data', (text) => text.replace(/[^\0-\x7f]/g, '?')),
	sentence: /text in any script arrives .* format xml-strict/, reason: /Gr\?\?e/,
}, {
	fault: 'does not tell how long to wait',
	change: on('refresh', without('p_wait')),
	sentence: /refresh has p_wait/, reason: /p_wait is missing/,
}, {
	fault: 'sends its clients to another host',
	change: on('refresh', (text) => text.replace('p_url="', 'p_url="http://other.invalid')),
	sentence: /refresh has p_wait.*p_url of this server/, reason: /another host: other\.invalid/,
}, {
	fault: 'forgets labels',
	change: on('data', without('p_label')),
	sentence: /the label of a subscription/, reason: /p_label is missing in data/,
}, {
	fault: 'lets everybody keep its answers',
	head: (status, headers) => { delete headers['cache-control']; },
	sentence: /answers forbid caching/, reason: /Cache-Control without no-store/,
}, {
	fault: 'matches whole parts of subjects only',
	change: on('data', (text) => (/p_subject="[^"]*\/ab/.test(text) ? '' : text)),
	sentence: /a subject matches itself, what is below it, and what begins with it/,
	reason: /what arrived is/,
}, {
	fault: 'sends to all what is for one',
	request: (target) => target.replace(/&p_to=[^&]*/, ''),
	sentence: /p_to: only that session gets the event/, reason: /nothing came|n is "1"/,
}, {
	fault: 'refuses without a reason',
	change: on('nack', without('p_reason')),
	sentence: /a nack has p_reason/, reason: /p_reason is missing in nack/,
}, {
	fault: 'has another p_from for each event',
	change: on('data', (text) => text.replace(/p_from="/, `$&${process.hrtime.bigint()}`)),
	sentence: /the same in all events of a publisher/, reason: /p_from is/,
}, {
	fault: 'leaves nobody',
	request: (target) => target.replace('p_event=leave', 'p_event=hb'),
	sentence: /leave is answered with leave-ack/, reason: /leave-ack should come next.*hb-ack/,
}, {
	fault: 'forgets the numbers of reliable delivery',
	change: on('data', without('p_eid')),
	sentence: /p_eid counts the data events/, reason: /p_eid is/,
}, {
	fault: 'does not mark earlier events',
	change: on('data', without('p_history')),
	sentence: /p_last=2 begins with/, reason: /p_history is missing/,
}, {
	fault: 'does not count what was lost',
	change: on('data', without('p_lost')),
	sentence: /a queue that is full/, reason: /p_lost is missing/,
}];

export class Faulty {
	constructor(port, fault) {
		Object.assign(this, { target: port, fault });
		this.server = http.createServer((request, answer) => this.#pass(request, answer));
	}

	async start() {
		await new Promise((done) => { this.server.listen(0, '127.0.0.1', done); });
		this.port = this.server.address().port;
	}

	#pass(request, answer) {
		const path = this.fault.request?.(request.url) ?? request.url;
		const forward = http.request({ host: '127.0.0.1', port: this.target, path,
			method: request.method, headers: request.headers, agent: false });

		forward.on('response', (response) => this.#back(response, answer));
		forward.on('error', () => answer.destroy());
		answer.on('close', () => forward.destroy());
		request.pipe(forward);
	}

	#back(response, answer) {
		const headers = { ...response.headers };

		this.fault.head?.(response.statusCode, headers);
		delete headers['content-length'];
		delete headers.connection;
		response.setEncoding('utf8');
		if (response.statusCode !== 200) {
			this.#refused(response, headers, answer);
			return;
		}
		answer.writeHead(200, headers);
		answer.flushHeaders();
		this.#events(response, answer);
	}

	#refused(response, headers, answer) {
		let text = '';

		response.on('data', (more) => { text += more; });
		response.on('end', () => {
			const instead = this.fault.refuse?.(text);
			answer.writeHead(instead ? 200 : response.statusCode, headers);
			answer.end(instead || text);
		});
	}

	/* Events of the formats xml and xml-strict, whole; all else as it is. */
	#events(response, answer) {
		const spoil = this.fault.change;
		const xml = /^text\/(plain|xml)/.test(response.headers['content-type']);
		let rest = '';
		let index = 0;

		response.on('data', (text) => {
			if (!xml || !spoil) {
				answer.write(text);
				return;
			}
			rest += text;
			const end = rest.lastIndexOf('>') + 1;
			const whole = rest.slice(0, end);
			rest = rest.slice(end);
			answer.write(whole.replace(ELEMENT, (event) => spoil(event, index++)));
		});
		response.on('end', () => answer.end(rest));
		response.on('error', () => answer.destroy());
	}

	check() {}
	kill() { this.stop(); }
	get running() { return false; }

	stop() {
		this.server.close();
		this.server.closeAllConnections();
	}
}
