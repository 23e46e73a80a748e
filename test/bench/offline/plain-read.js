/** Reads a file from its beginning to its end and does nothing with it: the limit for everything that reads captures. */
import { closeSync, openSync, readSync } from 'node:fs';

const chunk = Buffer.allocUnsafe(1024 * 1024);
const file = openSync(process.argv[2], 'r');
while (readSync(file, chunk) > 0);
closeSync(file);
