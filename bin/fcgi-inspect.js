#!/usr/bin/env node
// The launcher. NODE_ENV is set before anything imports React: its development build leaks one
// performance entry per update, which a long session would pay for in memory.
process.env.NODE_ENV = 'production';
await import('../dist/cli/main.js');
