// SPDX-License-Identifier: MIT
//
// types.test.mjs - pushlet.d.ts is right, and says what the source says

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { ROOT } from '../lib/paths.mjs';
import * as library from '../../pushlet-js/pushlet.mjs';

/* Node 18 has it, but not where browsers have. */
globalThis.crypto ??= webcrypto;

const PAGE = join(ROOT, 'tests/browser/typed-page.mts');
const SOURCE = join(ROOT, 'pushlet-js/src');

const program = ts.createProgram([PAGE], { strict: true, noEmit: true,
	exactOptionalPropertyTypes: true, noUnusedLocals: true, types: [],
	target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext,
	moduleResolution: ts.ModuleResolutionKind.NodeNext,
	lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] });
const checker = program.getTypeChecker();

/* Names of what a type of pushlet.d.ts has. */
function members(name) {
	const file = program.getSourceFiles().find((f) =>
		f.fileName.endsWith('/pushlet-js/pushlet.d.ts'));
	const symbol = checker.getExportsOfModule(checker.getSymbolAtLocation(file))
		.find((one) => one.name === name);
	return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
		.map((one) => one.name).sort();
}

describe('pushlet.d.ts', () => {
	it('fits a page that uses all of it', () => {
		const found = ts.getPreEmitDiagnostics(program).map((one) =>
			`${one.file?.fileName}: ${one.start}: ${
				ts.flattenDiagnosticMessageText(one.messageText, '\n')}`);

		assert.deepEqual(found, []);
	});

	it('has the methods and properties of the class', () => {
		const real = Object.getOwnPropertyNames(library.Pushlet.prototype)
			.filter((name) => name !== 'constructor').concat('url').sort();

		/* unsubscribe() of a subscription is what pages call */
		assert.deepEqual(members('Pushlet'),
			real.filter((name) => name !== 'unsubscribe'));
	});

	it('has the options of the class', () => {
		assert.throws(() => new library.Pushlet('', { nonsense: 1 }), (error) => {
			const [, list] = /it has (.*)$/.exec(error.message);
			assert.deepEqual(members('PushletOptions'), list.split(', ').sort());
			return true;
		});
	});

	it('has the events that the source tells', () => {
		const text = readdirSync(SOURCE).map((name) =>
			readFileSync(join(SOURCE, name), 'utf8')).join('');
		const told = [...text.matchAll(/[.#]tell\(([^,]*),/g)].flatMap(([, what]) =>
			[...what.matchAll(/(?<!=== )'(\w+)'/g)].map(([, name]) => name));

		assert.deepEqual(members('PushletEvents'), [...new Set(told)].sort());
	});
});
