// SPDX-License-Identifier: Apache-2.0
// What is shipped: programs of the README, types, messages, the self-contained package.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as simplugin from 'simplugin';
import ts from 'typescript';
import { pluginPath, program, temporary } from './helpers.mjs';

const root = join(import.meta.dirname, '..');
const source = process.env.SIMPLUGIN_SOURCE ?? join(root, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const FRUIT = 'pear 0.000\napple 0.006\n';

for (const [, js, printed] of readme.matchAll(/```js\n([^]*?)```[^`]*```text\n([^]*?)```/g))
  test(`the README's program that prints ${printed.split('\n')[0]}`, async () => {
    const { code, stdout, stderr } = await program(js);
    assert.deepEqual([code, stdout], [0, printed], stderr);
  });

test('the program of bindings/README.md', async () => {
  const { stdout, stderr } = await program(readFileSync(join(root, 'examples/fruit.mjs'), 'utf8'));
  assert.equal(stdout, FRUIT, stderr);
});

/* ---- types ---- */

const declarations = ts.createSourceFile('index.d.ts', readFileSync(join(root, 'index.d.ts'), 'utf8'), ts.ScriptTarget.Latest, true);
const nameOf = (node) => node.name?.getText().replace(/^\[(.*)\]$/, '$1');

function membersOf(kind, name) {
  return declarations.statements.filter((node) => ts[`is${kind}Declaration`](node) && nameOf(node) === name).flatMap(({ members }) => [...members]);
}

test('index.d.ts declares what there is, and nothing else', () => {
  const declared = new Set(declarations.statements.flatMap((node) => {
    if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(nameOf);
    return ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node) ? [nameOf(node)] : [];
  }));
  assert.deepEqual([...declared].sort(), Object.keys(simplugin).sort());
});

test('index.d.ts declares every method of every class', () => {
  for (const [name, Class] of Object.entries(simplugin)) {
    if (typeof Class !== 'function' || !Class.prototype || Class.prototype instanceof Error) continue;
    const declared = membersOf('Class', name).map(nameOf);
    const methods = Object.getOwnPropertyNames(Class.prototype).filter((one) => one !== 'constructor');
    assert.deepEqual(methods.filter((one) => !declared.includes(one)), [], name);
    const functions = membersOf('Class', name).filter(ts.isMethodDeclaration).filter((one) => !one.name.getText().startsWith('[')).map(nameOf);
    assert.deepEqual(functions.filter((one) => typeof (Class.prototype[one] ?? Class[one]) !== 'function'), [], name);
  }
});

test('every key of docs/protocol.md can be given', () => {
  const bodies = {
    'session.open': ['SessionSettings'], 'config.resolve': ['BackendChoice'], 'index.create': ['IndexSettings'], 'index.open': ['IndexAddress'],
    'index.add': ['AddBody'], 'index.remove': ['RemoveBody'], 'index.get': ['GetBody'], 'index.search': ['SearchBody'], 'index.radius': ['RadiusBody'],
    'index.neighbors': ['NeighborsBody'], 'scan.open': ['ScanBody'], 'copy.open': ['CopyOptions'],
  };
  const table = readFileSync(join(source, 'docs/protocol.md'), 'utf8').split('<!-- table: application -->')[1];
  for (const [method, names] of Object.entries(bodies)) {
    const [, , , keys] = table.split('\n').find((line) => line.startsWith(`| \`${method}\``)).split('|');
    const known = names.flatMap((name) => membersOf('Interface', name)).map(nameOf);
    const given = method === 'copy.open' ? [...known, 'source', 'target'] : known;
    assert.deepEqual(given.sort(), keys.trim().split(/\s+/).sort(), method);
  }
});

/* ---- messages ---- */

test('a build without the library says what is missing', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/library.js', '--cflags'], {
    cwd: root, encoding: 'utf8', env: { ...process.env, PKG_CONFIG_PATH: '/nowhere', PKG_CONFIG_LIBDIR: '/nowhere' },
  });
  assert.equal(status, 1);
  assert.match(stderr, /pkg-config finds no simplugin\.pc[^]*make install[^]*PKG_CONFIG_PATH is \/nowhere/);
});

/** The package's JavaScript without what it loads. */
function bare() {
  const directory = temporary();
  cpSync(join(root, 'lib'), join(directory, 'lib'), { recursive: true });
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  return directory;
}

function loading(directory) {
  return spawnSync(process.execPath, ['--input-type=module', '-e', `await import('${directory}/lib/addon.js')`], { encoding: 'utf8' }).stderr;
}

test('a package that is not built, or whose library is gone, says so', () => {
  const directory = bare();
  assert.match(loading(directory), /the addon is not built; looked for .*npm rebuild simplugin/);
  mkdirSync(join(directory, 'build/Release'), { recursive: true });
  const addon = readFileSync(join(root, 'build/Release/simplugin.node')).toString('latin1').replaceAll('libsimplugin.so.1', 'libsimplugin.so.X');
  writeFileSync(join(directory, 'build/Release/simplugin.node'), Buffer.from(addon, 'latin1'));
  const said = loading(directory);
  assert.match(said, /the C library that .*simplugin\.node needs is not found \(libsimplugin\.so\.X/);
  assert.match(said, /\.\/configure && make && make install, or \.\/quickstart/);
});

/* ---- installing ---- */

const { PATH, HOME, PKG_CONFIG_PATH, npm_config_cache } = process.env;

test('what is packed builds where it is installed, and runs', { timeout: 120_000 }, () => {
  const directory = temporary();
  const modules = join(directory, 'node_modules');
  const env = { PATH, HOME, PKG_CONFIG_PATH, npm_config_cache, SIMPLUGIN_DATA: join(directory, 'data') };
  const tarball = execFileSync('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: root, env, encoding: 'utf8' }).trim();
  mkdirSync(join(modules, 'simplugin'), { recursive: true });
  execFileSync('tar', ['xzf', join(directory, tarball), '--strip-components=1', '-C', join(modules, 'simplugin')]);
  cpSync(join(root, 'node_modules/@msgpack'), join(modules, '@msgpack'), { recursive: true });
  execFileSync('npm', ['rebuild', '--silent', 'simplugin'], { cwd: directory, env });
  writeFileSync(join(directory, 'fruit.mjs'), readFileSync(join(root, 'examples/fruit.mjs')));
  assert.equal(execFileSync(process.execPath, ['fruit.mjs'], { cwd: directory, env, encoding: 'utf8' }), FRUIT);
});

const USED = `
  import { readFileSync } from 'node:fs';
  import 'simplugin';
  const files = readFileSync('/proc/self/maps', 'utf8').match(/\\/\\S*(libsimplugin|simplugin)[^/\\s]*\\.(so|node)\\S*/g);
  console.log([...new Set(files)].join('\\n'));
`;

test('the self-contained package installs and runs where there is no libsimplugin', { timeout: 120_000 }, () => {
  const directory = temporary();
  // an installation that is gone when the package is used
  const prefix = join(directory, 'prefix');
  cpSync(join(pluginPath[0], '../..'), prefix, { recursive: true, verbatimSymlinks: true });
  const options = { encoding: 'utf8', env: { ...process.env, PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig') } };
  const pc = join(prefix, 'lib/pkgconfig/simplugin.pc');
  writeFileSync(pc, readFileSync(pc, 'utf8').replace(/^prefix=.*$/m, `prefix=${prefix}`));
  const tarball = execFileSync('npm', ['run', '--silent', 'pack:self-contained', '--', join(directory, 'packed')], { ...options, cwd: root }).trim();
  renameSync(prefix, `${prefix}-gone`);

  const empty = join(directory, 'empty');
  mkdirSync(join(empty, 'data'), { recursive: true });
  const env = { PATH, HOME, SIMPLUGIN_DATA: join(empty, 'data') };
  execFileSync('npm', ['install', '--offline', '--no-fund', '--no-audit', '--silent', tarball], { cwd: empty, env: { ...env, npm_config_cache } });
  assert.ok(!readdirSync(join(empty, 'node_modules/simplugin')).includes('src'));
  writeFileSync(join(empty, 'fruit.mjs'), readFileSync(join(root, 'examples/fruit.mjs')));
  writeFileSync(join(empty, 'used.mjs'), `import './fruit.mjs';\n${USED}`);
  const [pear, apple, ...files] = execFileSync(process.execPath, ['used.mjs'], { cwd: empty, env, encoding: 'utf8' }).trim().split('\n');
  assert.equal(`${pear}\n${apple}\n`, FRUIT);
  assert.ok(files.length >= 3, files.join(' '));
  for (const file of files) assert.ok(file.startsWith(join(empty, 'node_modules/simplugin/native')), file);
});
