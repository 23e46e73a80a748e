/** What `--help` says below the options; within 80 columns. */
export const EPILOGUE = `
An ADDRESS is 9000 (loopback), host:9000, [::1]:9000, unix:/path, /path or
unix:@name (abstract).

In the path of a web server:
  fcgi-inspect --listen 9001 --upstream unix:/run/php/php-fpm.sock
  nginx      fastcgi_pass 127.0.0.1:9001;
  Apache     SetHandler "proxy:fcgi://127.0.0.1:9001"
  lighttpd   fastcgi.server =
               (".php" => (("host" => "127.0.0.1", "port" => 9001)))
  Caddy      php_fastcgi 127.0.0.1:9001

From a capture:
  tcpdump -i lo -s 0 -w php.pcap port 9000
  fcgi-inspect php.pcap                 the same screen; also .pcapng and .gz
  tcpdump -i lo -U -w - port 9000 | fcgi-inspect -
FastCGI is found on any port; --port 9000 shows a port whatever it says.

A filter is FIELD OP VALUE with and, or, not and parentheses:
  -Y 'status >= 500 or outcome != completed'
  -Y 'path contains "/api/" and ttfb > 200ms and size.out > 1MB'
  -Y 'stderr contains "Fatal" and param.REQUEST_METHOD == POST'

Results go to standard output, everything else to standard error. Secrets
(cookies, authorization, params that say password, secret, token or key) are
redacted everywhere but in the terminal UI; --no-redact keeps them.

Exit status: 0 done, 1 something failed, 2 wrong usage, 3 --fail-on met,
128+N ended by signal N after an orderly stop. A signal lets open requests
finish for 10 seconds; a second one ends at once.
`;

/** What `explain --help` says below the options. */
export const EXPLAIN_EPILOGUE = `
  fcgi-inspect explain 'upstream sent too big header while reading response ...'
  fcgi-inspect explain /var/log/nginx/error.log --capture php.pcap
  journalctl -u php8.2-fpm -o cat | fcgi-inspect explain

Lines with the same message are told of once, with how often and when. Times
without a zone are local: set TZ to that of the log's machine.

Exit status: 0 something was recognised, 1 nothing was or a file cannot be read.
`;
