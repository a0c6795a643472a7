// SPDX-License-Identifier: MIT
//
// typed-page.mts - a page in TypeScript that uses all of pushlet.d.ts
//
// It is never run.  A line below @ts-expect-error must not compile.

import { Pushlet, PushletError, type PushletEvent, type PushletOptions,
	type State, type Subscription, type Transport }
	from '../../pushlet-js/pushlet.mjs';

const options: PushletOptions = { transports: ['sse', 'stream', 'pull', 'poll',
	'script'], reliable: true, shared: false, batch: false, patience: 5000,
	silence: 60000, worker: true, credentials: false };

export const bare: Pushlet = new Pushlet();
export const p = new Pushlet('/pushlet/pushlet.srv', options);
// @ts-expect-error: an unknown option
new Pushlet('x', { relaible: true });
// @ts-expect-error: an unknown transport
new Pushlet('x', { transports: ['xhr'] });

export function look(): [string, State, Transport | undefined, string | null] {
	// @ts-expect-error: it is the server's to change
	p.id = 'mine';
	return [p.url, p.state, p.transport, p.id];
}

function show(event: PushletEvent): string {
	const subject: string = event.p_subject;
	const value: string | undefined = event.value;
	// @ts-expect-error: an event has strings only, and not every one
	const length: number = event.value.length;

	return `${event.p_event} ${subject} ${value} ${length} ${event.p_sid} ${
		event.p_label} ${event.p_from} ${event.p_time} ${event.p_eid} ${
		event.p_history}`;
}

export async function talk(): Promise<void> {
	const { p_id }: { p_id: string } = await p.join();
	const rates: Subscription = p.subscribe('/rates', show);
	const labelled = p.subscribe('/a,/b', (e) => show(e), { label: 'ab', last: 5 });
	const many = p.subscribe('/many', { onBatch: (list) => list.map(show) });
	const ack: PushletEvent = await p.publish('/rates',
		{ value: 1, text: 'x', none: null }, { to: p_id });

	// @ts-expect-error: a subject is a string
	p.subscribe(5, show);
	// @ts-expect-error: to whom is a string
	p.publish('/rates', {}, { to: 5 });
	const known: Subscription = await rates.ready;
	const parts: [string, string | undefined, boolean] =
		[labelled.subject, labelled.label, known.active];
	await many.unsubscribe();
	show(ack);
	parts.reverse();
	await p.leave();
	await p.close();
}

export function watch(): void {
	const off: () => void = p.on('open', ({ transport, p_id, ms }) =>
		[transport, p_id, ms.toFixed()]);
	const failed = (error: PushletError): unknown =>
		[error.message, error.kind === 'gone', error.status, error.event?.p_reason];

	p.on('close', ({ reason, final }) => (final ? reason : ''));
	p.on('reconnect', ({ ms }) => ms);
	p.on('rejoin', ({ p_id }) => p_id);
	p.on('gap', ({ lost, p_eid }) => [lost + 1, p_eid]);
	p.on('fallback', ({ transport, reason }) => [transport, reason]);
	p.on('state', ({ state, transport }) => [state, transport]);
	p.on('data', show);
	p.on('error', failed);
	p.off('error', failed);
	// @ts-expect-error: no such event
	p.on('opened', show);
	off();
}
