/* SPDX-License-Identifier: MIT */
/*
 * pushlet.d.ts - types of pushlet.mjs (and of pushlet.js, where Pushlet and
 * PushletError are globals)
 */

/** An event as the server sends it: all values are strings. */
export interface PushletEvent {
	p_event: string;
	p_subject: string;
	/** which subscription of the session it matched */
	p_sid?: string;
	p_label?: string;
	/** handle of the session that published it; fits publish(..., { to }) */
	p_from?: string;
	/** seconds since 1970 */
	p_time?: string;
	/** number of the event in its session: 1, 2, ... */
	p_eid?: string;
	/** "1": older than the subscription, sent because of `last` */
	p_history?: string;
	[name: string]: string | undefined;
}

/**
 * stream: fetch() that reads while it arrives; sse: EventSource; pull: requests
 * that wait for an event; poll: requests that do not; script: pull by <script>
 * elements, for servers of another domain that do not allow fetch().  The id of
 * the session is in URLs of sse and script only.
 */
export type Transport = 'stream' | 'sse' | 'pull' | 'poll' | 'script';

export type State = 'closed' | 'connecting' | 'live' | 'reconnecting';

export interface PushletOptions {
	/**
	 * The transports that may be used, best first; default all, in the order
	 * of the type.  The next one is taken when streams are held back on the
	 * way (see patience), when three requests in a row bring nothing though
	 * the server answers, or when it asks for another mode.  script is taken
	 * when the server of another domain cannot be reached by fetch().
	 */
	transports?: Transport[];
	/**
	 * Default true: events are acknowledged; nothing is lost or repeated while
	 * the session lives.  false: no sse, and what is on its way when a
	 * connection breaks is lost.
	 */
	reliable?: boolean;
	/**
	 * Default false.  true: all tabs of this origin with the same url share one
	 * session and one connection, which a tab takes over when the one that
	 * held it goes.  The options of the tab that holds it count.
	 */
	shared?: boolean;
	/**
	 * Default false.  true: callbacks are called once per animation frame, for
	 * all events since the last one (as many as fit in a few milliseconds; the
	 * rest in the next frame).  onBatch does that for one subscription.
	 */
	batch?: boolean;
	/** Milliseconds until a stream has to have begun; default 5000. */
	patience?: number;
	/**
	 * Milliseconds without a sign of life on the data channel after which it
	 * is opened again; default 60000.  More than the server's
	 * queue.read.timeout.millis.
	 */
	silence?: number;
	/** Default true: a worker keeps time, also while the tab is hidden. */
	worker?: boolean;
	/** Default false.  true: send cookies to other domains, too. */
	credentials?: boolean;
}

export interface SubscribeOptions {
	/** comes back as p_label with each event of this subscription */
	label?: string;
	/**
	 * first so many events from before the subscription, oldest first, as far
	 * as the server has them (history.max); after a rejoin those of them that
	 * it had not
	 */
	last?: number;
	/** called with many events at once, at most once per animation frame */
	onBatch?: (events: PushletEvent[]) => void;
}

export interface Subscription {
	readonly subject: string;
	readonly label?: string;
	/** false after unsubscribe() */
	readonly active: boolean;
	/** Fulfilled when the server knows it, rejected when it refuses. */
	readonly ready: Promise<Subscription>;
	unsubscribe(): Promise<void>;
}

export class PushletError extends Error {
	/** retry: it may work later; gone: no such session; refused: never */
	readonly kind: 'retry' | 'gone' | 'refused';
	/** of HTTP, if it came so far */
	readonly status?: number;
	/** the nack of the server */
	readonly event?: PushletEvent;
}

export interface PushletEvents {
	/** the data channel works for the first time */
	open: { transport: Transport; p_id: string; ms: number };
	/** it does not any more; final: nobody tries to change that */
	close: { reason?: string; final: boolean };
	/** it works again, after so many milliseconds */
	reconnect: { transport: Transport; p_id: string; ms: number };
	/** The server had forgotten the session: there is a new one with the same
	 *  subscriptions.  Events of the time between are lost. */
	rejoin: { p_id: string };
	/** So many events are lost: the queue on the server was full. */
	gap: { lost: number; p_eid?: string };
	/** another transport from now on */
	fallback: { transport: Transport; reason: string };
	state: { state: State; transport: Transport };
	/** What no promise tells: a subscription is refused, ... */
	error: PushletError;
	/** each event, whether or not a subscription matches it */
	data: PushletEvent;
}

export class Pushlet {
	/**
	 * Nothing is sent before the first join, subscribe or publish.
	 * @param url of pushlet.srv, relative to the page; default
	 *	/pushlet/pushlet.srv
	 * @throws TypeError for an unknown option or transport
	 */
	constructor(url?: string, options?: PushletOptions);

	readonly url: string;
	readonly state: State;
	readonly transport?: Transport;
	/** the session's id on the server: a secret of this browser */
	readonly id: string | null;

	/** Joins and opens the data channel now. */
	join(): Promise<{ p_id: string }>;

	/**
	 * The callback gets every event whose subject begins with this one.
	 * @param subject '/a', or several: '/a,/b'
	 */
	subscribe(subject: string, callback?: (event: PushletEvent) => void,
		options?: SubscribeOptions): Subscription;
	subscribe(subject: string, options: SubscribeOptions): Subscription;

	/**
	 * Fulfilled when the server has the event, rejected with a PushletError
	 * when it refuses.  While the server cannot be reached it waits; an event
	 * whose acknowledgement was lost is published twice.
	 */
	publish(subject: string, values?: Record<string, unknown>,
		options?: { to?: string }): Promise<PushletEvent>;

	/** Ends the session (in a shared one: this tab's subscriptions). */
	leave(): Promise<void>;
	/** Leaves, and lets go of the page: the object is of no more use. */
	close(): Promise<void>;

	/** Returns a function that takes the handler away again. */
	on<N extends keyof PushletEvents>(name: N,
		handler: (detail: PushletEvents[N]) => void): () => void;
	off<N extends keyof PushletEvents>(name: N,
		handler: (detail: PushletEvents[N]) => void): void;
}
