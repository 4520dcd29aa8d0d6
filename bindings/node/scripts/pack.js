// SPDX-License-Identifier: Apache-2.0
// Packs the library and its plugins into the package: pack.js DIRECTORY
//
// Makes DIRECTORY/simplugin-VERSION-ARCH.tgz, which installs without a compiler and without
// libsimplugin. What these need of the system (libjansson, libsqlite3, libgrpc, ...) is not in it.
import { spawnSync } from 'node:child_process';
import { cpSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = dirname(dirname(fileURLToPath(import.meta.url)));
const directory = resolve(process.argv[2] ?? 'packed');
const work = join(directory, 'build');
const stage = join(directory, 'package');
const SONAME = 'libsimplugin.so.1';

function run(command, args, options = {}) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (error || status !== 0) {
    process.stderr.write(`${stdout ?? ''}${stderr ?? ''}pack.js: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(1);
  }
  return stdout.trim();
}

const variable = (name) => run('pkg-config', [`--variable=${name}`, 'simplugin']);

/** The addon, which looks for the library beside itself. */
function buildAddon() {
  for (const part of ['binding.gyp', 'package.json', 'scripts', 'src']) cpSync(join(source, part), join(work, part), { recursive: true });
  run('node', ['scripts/build.js'], { cwd: work, env: { ...process.env, SIMPLUGIN_PACKED: '1' } });
  copyFileSync(join(work, 'build/Release/simplugin.node'), join(stage, 'native/simplugin.node'));
}

/** Links are files in a package. */
function copyLibrary() {
  copyFileSync(realpathSync(join(variable('libdir'), SONAME)), join(stage, 'native', SONAME));
  const plugins = variable('plugindir');
  for (const name of readdirSync(plugins).filter((one) => one.endsWith('.so')))
    copyFileSync(realpathSync(join(plugins, name)), join(stage, 'native/simplugin', name));
  spawnSync('strip', ['--strip-unneeded', ...readdirSync(join(stage, 'native'), { recursive: true })
    .filter((one) => /\.(so|so\.0|node)$/.test(one)).map((one) => join(stage, 'native', one))]);
}

function copyPackage() {
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  Object.assign(manifest, {
    scripts: undefined, devDependencies: undefined, cpu: [process.arch],
    files: ['index.d.ts', 'lib', 'native'], bundleDependencies: Object.keys(manifest.dependencies),
  });
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const license = join(source, '../../LICENSE');
  if (existsSync(license)) copyFileSync(license, join(stage, 'LICENSE'));
  for (const part of ['lib', 'index.d.ts', 'README.md']) cpSync(join(source, part), join(stage, part), { recursive: true });
  for (const name of Object.keys(manifest.dependencies)) cpSync(join(source, 'node_modules', name), join(stage, 'node_modules', name), { recursive: true });
}

for (const one of [work, stage]) rmSync(one, { recursive: true, force: true });
mkdirSync(join(stage, 'native/simplugin'), { recursive: true, mode: 0o755 });
buildAddon();
copyLibrary();
copyPackage();
const tarball = run('npm', ['pack', '--silent'], { cwd: stage });
const packed = join(directory, tarball.replace(/\.tgz$/, `-linux-${process.arch}.tgz`));
renameSync(join(stage, tarball), packed);
for (const one of [work, stage]) rmSync(one, { recursive: true, force: true });
console.log(packed);
