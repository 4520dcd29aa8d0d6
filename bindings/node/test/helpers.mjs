// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Session } from 'simplugin';

const root = join(import.meta.dirname, '..');
const installed = process.env.SIMPLUGIN_INSTALLED ?? join(root, '../../build/installed');
export const pluginPath = [join(installed, 'lib/simplugin')];

/** A directory that goes when the tests of the file have ended. */
export function temporary() {
  const directory = mkdtempSync(join(tmpdir(), 'simplugin-node-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A session of its own, whatever the environment says. */
export async function openSession(more) {
  const session = await Session.open({ data_dir: join(temporary(), 'data'), plugin_path: pluginPath, environment: {}, ...more });
  after(() => session.close());
  return session;
}

/** What accepts connections and never answers: its port, and how many it has. */
export async function hangingServer() {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return { port: server.address().port, sockets };
}

export async function until(condition, what) {
  const end = Date.now() + 20_000;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

let collect;

export function gc() {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc');
  }
  collect();
}

/** Runs a program of its own, an ES module that may import 'simplugin'. */
export async function program(text, { env = {}, flags = [], timeout = 60_000 } = {}) {
  const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', text], {
    cwd: root, env: { ...process.env, SIMPLUGIN_PATH: pluginPath[0], SIMPLUGIN_DATA: join(temporary(), 'data'), ...env }, timeout,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  const [code, signal] = await once(child, 'close');
  return { code, signal, stdout, stderr };
}
