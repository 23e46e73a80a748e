#!/usr/bin/env node
// The launcher. NODE_ENV is set before anything imports React: its development build leaks one
// performance entry per update, which a long session would pay for in memory.
process.env.NODE_ENV = 'production';
// File writes and name lookups share libuv's threads: with only four, a disk that hangs holds up lookups. This is
// CommonJS because loading an ES module starts the threads, and then their number stands.
process.env.UV_THREADPOOL_SIZE ??= '16';
import('../bundle/cli/main.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write('fcgi-inspect: it is not built yet\n  run npm ci (or npm run build) in its folder first\n');
  process.exitCode = 1;
});
