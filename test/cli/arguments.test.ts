import { describe, expect, it } from 'vitest';
import { parseArguments, type Settings, type Surroundings } from '../../src/cli/arguments.js';

const around: Surroundings = { version: '1.2.3', stdinIsTerminal: true, stdoutIsTerminal: true, env: {} };
const piped: Surroundings = { ...around, stdoutIsTerminal: false };

function settings(line: string, where = around): Settings {
  const parsed = parseArguments(line.split(' ').filter(Boolean), where);
  if (!('settings' in parsed)) throw new Error('it printed');
  return parsed.settings;
}
const PROXY = '--listen 9001 --upstream 9000';

describe('arguments', () => {
  it('pairs listens and upstreams in their order', () => {
    const { routes } = settings('--listen 9001 --listen 9003 --upstream 9000 --upstream unix:/run/b.sock');
    expect(routes).toEqual([
      {
        listen: { kind: 'tcp', host: '127.0.0.1', port: 9001 },
        upstream: { kind: 'tcp', host: '127.0.0.1', port: 9000 },
      },
      { listen: { kind: 'tcp', host: '127.0.0.1', port: 9003 }, upstream: { kind: 'unix', path: '/run/b.sock' } },
    ]);
  });

  it('shows the terminal UI on a terminal, lines elsewhere', () => {
    expect(settings(PROXY).format).toBe('tui');
    expect(settings(PROXY, piped).format).toBe('lines');
    expect(settings(PROXY, { ...around, stdinIsTerminal: false }).format).toBe('lines');
    expect(settings(`${PROXY} --format ndjson`).format).toBe('ndjson');
  });

  it('gives standard output to one only', () => {
    expect(settings(`${PROXY} --har -`, piped)).toMatchObject({ format: null, har: '-' });
    expect(() => settings(`${PROXY} --har - --ndjson -`)).toThrow('both want standard output');
    expect(() => settings(`${PROXY} --har - --format lines`)).toThrow('both want standard output');
    expect(settings(`${PROXY} --har out.har --format lines`)).toMatchObject({ format: 'lines', har: 'out.har' });
  });

  it('reads quantities', () => {
    expect(settings(`${PROXY} -n 5 --duration 1m30s --max-requests 10 --max-spool 64MB`)).toMatchObject({
      count: 5,
      duration: 90_000,
      maxRequests: 10,
      maxSpool: 64_000_000,
    });
  });

  it('takes the options of the demo before and after its name', () => {
    expect(settings('demo -n 3')).toMatchObject({ command: 'demo', count: 3 });
    expect(settings('demo --har x.har --no-redact')).toMatchObject({ command: 'demo', har: 'x.har', redact: false });
    expect(settings('-n 3 demo')).toMatchObject({ command: 'demo', count: 3 });
  });

  it('honours NO_COLOR, a dumb terminal and the explicit word', () => {
    expect(settings(PROXY).color).toBe(true);
    expect(settings(PROXY, { ...around, env: { NO_COLOR: '1' } }).color).toBe(false);
    expect(settings(PROXY, { ...around, env: { TERM: 'dumb' } }).color).toBe(false);
    expect(settings(PROXY, piped).color).toBe(false);
    expect(settings(`${PROXY} --color always`, { ...piped, env: { NO_COLOR: '1' } }).color).toBe(true);
  });

  it('warns of a listener that other hosts reach', () => {
    expect(settings(PROXY).warnings).toEqual([]);
    expect(settings('--listen 0.0.0.0:9001 --upstream 9000').warnings[0]).toContain('no authentication');
  });

  it.each([
    ['', 'nothing to inspect'],
    ['--listen 9001', '1 --listen and 0 --upstream'],
    [`${PROXY} --format xml`, 'xml'],
    [`${PROXY} --frmat tui`, '--frmat'],
    [`${PROXY} -n 0`, 'whole number'],
    [`${PROXY} --duration soon`, '90s'],
    [`${PROXY} -Y status=`, ''],
    ['--listen 9001 --upstream 127.0.0.1:0', 'port other than 0'],
  ])('refuses %j', (line, words) => {
    expect(() => settings(line)).toThrow(
      expect.objectContaining({ name: 'FcgiInspectError', message: expect.stringContaining(words) }),
    );
  });

  it('refuses the terminal UI without a terminal', () => {
    expect(() => settings(`${PROXY} --format tui`, piped)).toThrow('needs a terminal');
  });

  it('prints its help and its version', () => {
    expect(parseArguments(['--version'], around)).toEqual({ print: '1.2.3\n' });
    const help = parseArguments(['--help'], around);
    expect('print' in help && help.print).toContain('--listen');
    expect('print' in help && help.print).toContain('fastcgi_pass 127.0.0.1:9001;');
    const demo = parseArguments(['demo', '--help'], around);
    expect('print' in demo && demo.print).toContain('built-in');
  });
});

describe('capture files on the command line', () => {
  it('are one or several, with options anywhere among them', () => {
    expect(settings('a.pcap')).toMatchObject({ command: 'capture', files: ['a.pcap'], ports: null, routes: [] });
    expect(settings('a.pcap -Y status>=500 b.pcapng.gz -n 3')).toMatchObject({
      command: 'capture',
      files: ['a.pcap', 'b.pcapng.gz'],
      filter: 'status>=500',
      count: 3,
    });
    expect(settings('./spawn').files).toEqual(['./spawn']);
    expect(settings('-- --odd.pcap').files).toEqual(['--odd.pcap']);
    expect(settings('a.pcap demo').files).toEqual(['a.pcap', 'demo']);
    expect(settings(PROXY)).toMatchObject({ command: 'proxy', files: [], ports: null });
  });

  it('are shown as a proxy is: on the screen of a terminal, in lines elsewhere', () => {
    expect(settings('a.pcap').format).toBe('tui');
    expect(settings('a.pcap', piped).format).toBe('lines');
    expect(settings('a.pcap', { ...around, stdinIsTerminal: false }).format).toBe('lines');
    expect(settings('a.pcap --har -', piped)).toMatchObject({ format: null, har: '-' });
  });

  it('may come through standard input, also for the screen, whose keys come from the terminal then', () => {
    const fed = { ...around, stdinIsTerminal: false };
    expect(settings('-', fed)).toMatchObject({ command: 'capture', files: ['-'], format: 'lines' });
    expect(settings('- --format tui', fed).format).toBe('tui');
    expect(settings('a.pcap - --format tui', fed)).toMatchObject({ files: ['a.pcap', '-'], format: 'tui' });
    expect(() => settings('- --format tui', { ...fed, stdoutIsTerminal: false })).toThrow('needs a terminal');
    expect(() => settings('a.pcap --format tui', fed)).toThrow('needs a terminal');
  });

  it('take the ports on which FastCGI passes', () => {
    expect(settings('a.pcap --port 9000').ports).toEqual([9_000]);
    expect(settings('a.pcap --port 9000,9001 --port 65535').ports).toEqual([9_000, 9_001, 65_535]);
    expect(settings('a.pcap --port 9000-9002,80').ports).toEqual([9_000, 9_001, 9_002, 80]);
    expect(parseArguments(['a.pcap', '--port', ' 9000, 9001'], around)).toMatchObject({
      settings: { ports: [9_000, 9_001] },
    });
  });

  it.each([
    ['a.pcap --port 0', '9000,9001'],
    ['a.pcap --port 9002-9000', '9000,9001'],
    ['a.pcap --port 65536', '9000,9001'],
    ['a.pcap --port 9000,', '9000,9001'],
    ['a.pcap --port http', '9000,9001'],
    ['a.pcap --port 90.5', '9000,9001'],
    ['a.pcap --port 0x50', '9000,9001'],
    ['a.pcap --port 1e3', '9000,9001'],
    [`${PROXY} --port 9000`, '--port is for captures'],
    ['demo --port 9000', '--port'],
    [`a.pcap ${PROXY}`, '"a.pcap" is a capture file'],
    ['a.pcap --listen 9001', '"a.pcap" is a capture file'],
    ['a.pcap b.pcap a.pcap', '"a.pcap" is named twice'],
    ['- -', '"-" is named twice'],
    ['a.pcap --har x --ndjson x', 'both want x'],
    ['a.pcap --interface eth0', '--interface'],
    ...['spawn', 'attach', 'trace', 'help'].map((word) => [
      `${word} a.pcap`,
      `"${word}" is no command of this version`,
    ]),
  ])('refuse %j', (line, words) => {
    expect(() => settings(line!)).toThrow(
      expect.objectContaining({
        name: 'FcgiInspectError',
        code: 'usage',
        message: expect.stringContaining(words!),
        advice: expect.stringMatching(/\S/),
      }),
    );
  });

  it('takes logs with everything that inspects', () => {
    expect(settings(`${PROXY} --log a.log --log b.log`).logs).toEqual(['a.log', 'b.log']);
    expect(settings('a.pcap --log a.log').logs).toEqual(['a.log']);
    expect(settings(PROXY).logs).toEqual([]);
  });

  it('explains a text, logs, or what is piped in', () => {
    const asked = (args: string[], where = around) => {
      const parsed = parseArguments(['explain', ...args], where);
      if (!('explain' in parsed)) throw new Error('it did not ask');
      return parsed.explain;
    };
    expect(asked(['EOF', '--capture', 'a.pcap', '--capture', 'b.pcap', '--no-redact'])).toMatchObject({
      what: ['EOF'],
      captures: ['a.pcap', 'b.pcap'],
      redact: false,
    });
    expect(asked([], { ...around, stdinIsTerminal: false })).toMatchObject({ what: ['-'], captures: [], redact: true });
    expect(() => asked([])).toThrow('nothing to explain');
  });
});
