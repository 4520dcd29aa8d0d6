// SPDX-License-Identifier: Apache-2.0
// What pkg-config knows of libsimplugin, for binding.gyp: library.js --cflags | --libs
import { spawnSync } from 'node:child_process';

const MISSING = `simplugin: pkg-config finds no simplugin.pc, so libsimplugin is not installed where this build looks.
Install the C library (in its source tree: ./configure && make && make install, or ./quickstart), then,
unless its prefix is a usual one, say where it is: PKG_CONFIG_PATH=PREFIX/lib/pkgconfig
`;

/** @param {string[]} options */
function pkgConfig(...options) {
  const { error, status, stdout } = spawnSync('pkg-config', [...options, 'simplugin'], { encoding: 'utf8' });
  if (error) {
    process.stderr.write(`simplugin: pkg-config cannot be run (${error.message}); install it (Debian: pkg-config)\n`);
    process.exit(1);
  }
  if (status !== 0) {
    process.stderr.write(`${MISSING}PKG_CONFIG_PATH is ${process.env.PKG_CONFIG_PATH ?? 'not set'}.\n`);
    process.exit(1);
  }
  return stdout.trim();
}

if (process.argv[2] === '--cflags') {
  console.log(pkgConfig('--cflags'));
} else {
  // the addon finds a library in a prefix of its own, and the packed one beside itself, whatever
  // LD_LIBRARY_PATH says: $ORIGIN, written so that it passes through make and the shell
  const rpath = process.env.SIMPLUGIN_PACKED ? String.raw`\\$$ORIGIN -Wl,--disable-new-dtags` : pkgConfig('--variable=libdir');
  console.log(`${pkgConfig('--libs')} -Wl,-rpath,${rpath}`);
}
