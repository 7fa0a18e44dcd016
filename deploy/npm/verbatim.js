#!/usr/bin/env node
// `verbatim` starts the service, `verbatim <command>` is the command line.
await import(process.argv.length > 2 ? '../apps/api/dist/cli.js' : '../apps/api/dist/main.js');
