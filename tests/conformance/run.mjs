#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// run.mjs - is that a Pushlet server?  (make conformance URL=...)

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PROFILES } from './case.mjs';
import { NoServer, Suite } from './suite.mjs';
import { asJson, holds, lines, sum } from './report.mjs';

const HELP = `usage: tests/conformance/run.mjs [OPTION]... URL

Plays the Pushlet protocol against the server at URL, as in
http://host:8080/pushlet/pushlet.srv, and prints for each case whether it holds.

  --profile=NAME  pushlet-fcgi (the default), or original: Just van den
                  Broecke's server in Java, as recorded
  --wait=SECONDS  how long to wait for what the server's clock brings, such as
                  heartbeats; 25.  When given, heartbeats must come within it
  --limit=SECONDS how long an answer may take; 5
  --subject=TEXT  what all subjects begin with; /conformance
  --only=WORD     only the cases with this word in their sentence or group
  --json[=FILE]   the report as JSON: instead, or into a file besides
  --help          this text

Sessions and subjects are its own, and it leaves its sessions.  It asks no other
host than that of URL, for at most 6000 requests and some minutes.

status: 0 all that could be told holds, 1 something does not, 2 wrong usage, 3
there is no Pushlet server, 130 it was broken off
`;

function usage(message) {
	process.stderr.write(`conformance: ${message}\n`
		+ 'conformance: --help tells what is allowed\n');
	process.exit(2);
}

function seconds(name, text) {
	const value = Number(text);

	if (!(value > 0 && value <= 600))
		usage(`--${name}=${text} is not a number of seconds from more than 0 to 600`);
	return value;
}

function url(text) {
	try {
		const parsed = new URL(text);
		if (['http:', 'https:'].includes(parsed.protocol))
			return parsed.href;
	} catch {
		/* said below */
	}
	return usage(`"${text}" is no URL that begins with http:// or https://`);
}

function read() {
	/* --json has a value only with =, which parseArgs does not know. */
	const words = process.argv.slice(2).map((word) => (word === '--json' ? '--json=' : word));
	const { values, positionals } = parseArgs({ args: words, allowPositionals: true,
		options: Object.fromEntries(['profile', 'wait', 'limit', 'subject', 'only', 'json']
			.map((name) => [name, { type: 'string' }])
			.concat([['help', { type: 'boolean' }]])) });

	if (values.help) {
		process.stdout.write(HELP);
		process.exit(0);
	}
	if (positionals.length !== 1)
		usage(positionals.length === 0 ? 'URL is missing: make conformance '
			+ 'URL=http://host:port/pushlet/pushlet.srv' : 'more than one URL');
	if (values.profile !== undefined && !PROFILES.includes(values.profile))
		usage(`there is no profile "${values.profile}", only ${PROFILES.join(' and ')}`);
	return [url(positionals[0]), values];
}

function options({ profile, wait, limit, subject, only }) {
	return { profile, subject, only,
		...(wait === undefined ? {} : { wait: seconds('wait', wait), demand: true }),
		...(limit === undefined ? {} : { limit: seconds('limit', limit) }) };
}

async function main() {
	const [address, values] = read();
	const suite = new Suite(address, options(values));
	const talk = values.json !== '';
	const say = (text) => talk && process.stdout.write(`${text}\n`);
	let group;
	const breakOff = async () => {
		await suite.abandon();
		process.exit(130);
	};

	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
		process.once(signal, breakOff);
	process.stdout.once('error', breakOff);	/* nobody reads on */
	if (suite.cases.length === 0)
		usage(`no case has "${values.only}" in its sentence or group`);
	say(`${suite.talk.name}, profile ${suite.profile}\n`
		+ 'In brackets: the recording, or the section of pushlet-protocol(7), it is from.');
	const outcome = await suite.run((result) => {
		say(lines(result, group, suite.profile));
		group = result.group;
	});
	say(sum(outcome));
	if (!talk)
		process.stdout.write(asJson(outcome));
	else if (values.json !== undefined)
		writeFileSync(values.json, asJson(outcome));
	process.exitCode = holds(outcome) ? 0 : 1;
}

try {
	await main();
} catch (error) {
	if (error.code?.startsWith('ERR_PARSE_ARGS'))
		usage(error.message);
	process.stderr.write(`conformance: ${error instanceof NoServer ? error.message
		: error.stack}\n`);
	process.exit(error instanceof NoServer ? 3 : 4);
}
