/** One HTTP port of a web server, and the backend behind it. */
export interface Site {
  readonly port: number;
  errorLog(): string;
}

export interface WebServer<Name extends string> {
  readonly sites: Readonly<Record<Name, Site>>;
  /** Ends it before its workspace closes: kept connections to the backend end with it. */
  stop(): Promise<void>;
}

/**
 * What an error log of nginx or lighttpd says, without what differs between two runs: times, process ids, addresses and file
 * descriptors. Two runs that went alike give equal lists.
 */
export function errorKinds(log: string): string[] {
  return log
    .split('\n')
    .map((line) => NGINX_LINE.exec(line)?.[1] ?? LIGHTTPD_LINE.exec(line)?.[1] ?? null)
    .filter((text) => text !== null && !UNRELATED.test(text))
    .map((text) => VARIABLES.reduce((rest, [pattern, name]) => rest.replace(pattern, name), text!));
}

const NGINX_LINE = /^\S+ \S+ (\[(?:info|warn|error|crit|alert|emerg)\].*)$/;
const LIGHTTPD_LINE = /^\d+-\d+-\d+ \S+ (\([\w.-]+\.c\.\d+\) .*)$/;
/** The server's own life (nginx gives such lines no connection number), and whether a response was faster than its reader. */
const UNRELATED = /\] \d+#\d+: (?!\*)|\(server\.c\.\d+\)|is buffered to a temporary file/;

const VARIABLES: readonly (readonly [RegExp, string])[] = [
  [/, client: .*$/, ''],
  [/ \d+#\d+: \*\d+ /, ' '],
  [/(?:tcp:)?127\.0\.0\.1:\d+|unix:[^ ,"]+/g, 'ADDRESS'],
  [/read\(\) \d+ \d+/, 'read()'],
  [/request sent: \d+/, 'request sent: N'],
  // What nginx was about to do when it noticed is a matter of the moment.
  [/(upstream connection is closed too).*/, '$1'],
  // One system call or the other, as the buffers happen to lie.
  [/readv\(\) failed/, 'recv() failed'],
];
