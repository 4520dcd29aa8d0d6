// SPDX-License-Identifier: Apache-2.0
// Builds the addon with node-gyp, which npm puts into the PATH of its scripts.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

function run(command, ...args) {
  const { error, status } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) process.stderr.write(`simplugin: ${command} cannot be run: ${error.message}\n`);
  if (error || status !== 0) process.exit(1);
}

// says what is missing before node-gyp shows its own trace around it
run(process.execPath, 'scripts/library.js', '--cflags');
const prefix = dirname(dirname(realpathSync(process.execPath)));
const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
run('node-gyp', 'configure', 'build', ...headers);
