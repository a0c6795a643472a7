// SPDX-License-Identifier: MIT
//
// fcgi.mjs - a web server as the responder sees it, for what none would send
//
// Speaks FastCGI to pushletd directly: records one by one, parameters whole or
// cut short, answers parsed to status and body.

import { LIMIT, within } from './wait.mjs';

const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;

/* One record, or several when the content is long. */
export function record(type, content, id = 1) {
	const bytes = Buffer.from(content);
	const parts = [];

	for (let at = 0; at === 0 || at < bytes.length; at += 65535) {
		const part = bytes.subarray(at, at + 65535);
		parts.push(Buffer.from([1, type, id >> 8, id & 255,
			part.length >> 8, part.length & 255, 0, 0]), part);
	}
	return Buffer.concat(parts);
}

const length = (n) => (n < 128 ? Buffer.from([n])
	: Buffer.from([n >>> 24 | 128, n >>> 16 & 255, n >>> 8 & 255, n & 255]));

export function pairs(params) {
	return Buffer.concat(Object.entries(params).flatMap(([name, value]) => {
		const [n, v] = [Buffer.from(name), Buffer.from(value)];
		return [length(n.length), length(v.length), n, v];
	}));
}

export const begin = (role = 1, flags = 0) =>
	record(BEGIN, [role >> 8, role & 255, flags, 0, 0, 0, 0, 0]);
export const params = (values) =>
	Buffer.concat([record(PARAMS, pairs(values)), record(PARAMS, '')]);
export const stdin = (body) => Buffer.concat(
	body === '' ? [record(STDIN, '')] : [record(STDIN, body), record(STDIN, '')]);

/* The parameters of one request, as a front would send them. */
export function requestParams({ method = 'GET', query = '', body = '', ...more }) {
	return {
		REQUEST_METHOD: method,
		QUERY_STRING: query,
		REQUEST_URI: `/pushlet/pushlet.srv${query === '' ? '' : `?${query}`}`,
		SERVER_PROTOCOL: 'HTTP/1.1',
		...(method === 'POST' ? { CONTENT_LENGTH: String(Buffer.byteLength(body)) } : {}),
		...more,
	};
}

/* What the responder sent: its FCGI_STDOUT, and whether it ended the request. */
function decode(bytes) {
	let text = Buffer.alloc(0);
	let ended = false;

	for (let at = 0; at + 8 <= bytes.length;) {
		const size = bytes.readUInt16BE(at + 4);
		const content = bytes.subarray(at + 8, at + 8 + size);
		if (bytes[at + 1] === STDOUT)
			text = Buffer.concat([text, content]);
		if (bytes[at + 1] === END)
			ended = true;
		at += 8 + size + bytes[at + 6];
	}
	return { text: text.toString(), ended };
}

export function answer(bytes) {
	const { text, ended } = decode(bytes);
	const at = text.search(/\r?\n\r?\n/);
	const head = text.slice(0, Math.max(at, 0));
	const status = /^Status: (\d+)/mi.exec(head);

	return {
		status: status ? Number(status[1]) : at >= 0 ? 200 : undefined,
		head,
		text: text.slice(at).replace(/^\r?\n\r?\n/, ''),
		ended,
	};
}

export class FcgiClient {
	/* Opens a connection, writes the bytes, and leaves it open. */
	async fcgiOpen(bytes) {
		const socket = this.connect();
		const state = { socket, received: Buffer.alloc(0), closed: false };

		socket.on('data', (data) => {
			state.received = Buffer.concat([state.received, data]);
		});
		socket.on('error', () => {});	/* a close event follows */
		state.end = new Promise((done) => {
			socket.on('close', () => {
				state.closed = true;
				done();
			});
		});
		await within(new Promise((done) => { socket.once('connect', done); }),
			LIMIT, () => 'cannot connect to pushletd');
		if (bytes)
			socket.write(bytes);
		return state;
	}

	/* Writes the bytes and reads until the responder closes. */
	async fcgiRaw(bytes, limit = LIMIT) {
		const state = await this.fcgiOpen(bytes);

		try {
			await within(state.end, limit, () => 'pushletd did not close; it sent '
				+ JSON.stringify(answer(state.received)));
		} finally {
			state.socket.destroy();
		}
		return answer(state.received);
	}

	/* A whole request: { method, query, body, and any FastCGI parameter }. */
	fcgi(request) {
		return this.fcgiRaw(Buffer.concat([begin(), params(requestParams(request)),
			stdin(request.body ?? '')]));
	}
}
