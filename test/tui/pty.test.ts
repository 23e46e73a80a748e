import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { KEYMAP } from '../../src/tui/keymap.js';
import { CompiledFixture } from './compiled-fixture.js';
import { PtyTerminal } from './pty-terminal.js';

const fixture = new CompiledFixture(join(import.meta.dirname, 'fixtures', 'program.ts'));
afterAll(() => fixture.remove());

let open: PtyTerminal | null = null;

function start(scene: string, columns = 120, rows = 36, env: Readonly<Record<string, string>> = {}): PtyTerminal {
  open = new PtyTerminal(fixture.program, [scene], { columns, rows }, env);
  return open;
}

afterEach(() => {
  open?.kill();
  open = null;
});

/** The screen is whole: title, filter and help stand where they must, and nothing was scrolled. */
function expectWhole(terminal: PtyTerminal): void {
  const rows = terminal.rows();
  expect(rows[0]).toMatch(/^ fcgi-inspect /);
  expect(rows[1]).toMatch(/^ filter: /);
  expect(rows.at(-2)).toMatch(/^ \[\d+\/\d+\]/);
  expect(rows.at(-1)).toMatch(/ help/);
  expect(terminal.scrolled).toBe(0);
}

describe('the TUI in a terminal', { timeout: 60_000 }, () => {
  it('shows the list, the detail with its seven tabs, and gives the terminal back', async () => {
    const terminal = start('mix');
    await terminal.until('php-fatal-error');
    expectWhole(terminal);
    expect(terminal.alternate).toBe(true);
    const list = terminal.text();
    expect(list).toContain('127.0.0.1:9001 → 127.0.0.1:9000');
    expect(list).toMatch(/58 \d\d:\d\d:\d\d\.\d{3} POST +\/checkout +500 +35B +76B +240ms +251ms php-fatal-error/);
    expect(list).toContain('[60/60] [following]');

    await terminal.see('kk', '[58/60]');
    await terminal.see('\r', /BEGIN_REQUEST +8B .*role responder/);
    expect(terminal.text()).toMatch(/\+240ms +240ms ← STDERR/);
    expectWhole(terminal);
    await terminal.see('2', /REQUEST_METHOD += POST/);
    await terminal.see('3', /amount = 42\nnote = hello world/);
    await terminal.see('r', 'name=Ada&amount=42');
    await terminal.see('4', /500 Internal Server Error\nStatus: 500/);
    expect(terminal.text()).toContain('<h1>Oops</h1>');
    await terminal.see('5', 'PHP Fatal error:  Uncaught TypeError');
    await terminal.see('6', /0 → BEGIN_REQUEST \(1\) +1 +1 +8 +0 +0 /);
    await terminal.see('jj', 'record 2: 8 header bytes and 0 content bytes');
    expect(terminal.text()).toMatch(/header {4}01 04 00 01 00 00 00 00/);
    await terminal.see('7', '- Look at the first thing.');
    await terminal.see('G', 'Protocol status request-complete, application status 0.');
    expectWhole(terminal);
    await terminal.see('p', '[59/60]');
    expect(terminal.text()).toContain('#59 GET');

    terminal.type('Q');
    expect(await terminal.exited).toBe(0);
    await terminal.until('after');
    expect(terminal.alternate).toBe(false);
    expect(terminal.text().trim()).toBe('before\nafter');
    // What was switched on is off again: bracketed paste, hidden cursor, no wrapping.
    expect(terminal.raw.lastIndexOf('\x1b[?2004l')).toBeGreaterThan(terminal.raw.lastIndexOf('\x1b[?2004h'));
    expect(terminal.raw.lastIndexOf('\x1b[?25h')).toBeGreaterThan(terminal.raw.lastIndexOf('\x1b[?25l'));
    expect(terminal.raw.lastIndexOf('\x1b[?7h')).toBeGreaterThan(terminal.raw.lastIndexOf('\x1b[?7l'));
  });

  it('edits the filter, says what is wrong and where, and applies it', async () => {
    const terminal = start('mix');
    await terminal.until('[60/60]');
    await terminal.see('f', '[valid]');
    await terminal.see('status >=', /column \d+: /);
    terminal.type('\r');
    await terminal.see(' 500', '[valid]');
    await terminal.see('\r', /8\/60 shown/);
    expect(terminal.text()).toContain('[filtered]');
    expect(terminal.text()).not.toContain('/index.php');
    await terminal.see('f\x15\x1b', '8/60 shown');
    await terminal.see('f\x15\r', '60 requests');
    await terminal.see('f\x1b[200~n == 7\r\x1b[201~', /filter: n == 7 +\[valid\]/);
    await terminal.see('\r', '1/60 shown');
  });

  it('shows every key of the table in its help', async () => {
    const terminal = start('mix', 120, 60);
    await terminal.until('[60/60]');
    await terminal.see('?', 'Everywhere');
    for (const { help, context } of KEYMAP)
      if (help !== undefined && context !== 'quit') expect(terminal.text()).toContain(help);
    await terminal.see('q', 'fcgi-inspect');
  });

  it('keeps the screen whole through any resize', async () => {
    const terminal = start('mix');
    await terminal.until('[60/60]');
    await terminal.see('\r', 'BEGIN_REQUEST');
    for (const [columns, rows] of [
      [80, 24],
      [200, 50],
      [80, 24],
      [61, 16],
    ] as const) {
      terminal.resize(columns, rows);
      await terminal.until(() => terminal.rows().at(-1)!.includes('help') && terminal.rows()[0]!.includes('LIVE'));
      expectWhole(terminal);
      expect(terminal.text()).toContain('BEGIN_REQUEST');
      expect(terminal.text().split('Timeline')).toHaveLength(2);
    }
    terminal.resize(50, 10);
    await terminal.until('this terminal is too small');
    expect(terminal.text()).toContain('It has 50×10; at least 60×16 are needed.');
    terminal.resize(120, 36);
    await terminal.until('BEGIN_REQUEST');
    expectWhole(terminal);
    expect(terminal.text()).not.toContain('too small');
  });

  it('reads many keys in one chunk, and a sequence that comes in two', async () => {
    const terminal = start('ended');
    await terminal.until('[1/60]');
    await terminal.see('jjj', '[4/60]');
    await terminal.see('25G', '[25/60]');
    await terminal.see('gg', '[1/60]');
    terminal.type('\x1b');
    await terminal.see('[B', '[2/60]');
    await terminal.see('G', '[60/60]');
    await terminal.see('\x1b[5~', '[30/60]');
    expect(terminal.text()).toContain('ended');
  });

  it('asks before it quits while requests are open', async () => {
    const terminal = start('open');
    await terminal.until('1 open');
    await terminal.see('Q', '1 request is still open, and may finish for 10 s. Quit? (y/n)');
    await terminal.see('n', '[following]');
    await terminal.see('\x03', 'Quit? (y/n)');
    terminal.type('y');
    expect(await terminal.exited).toBe(0);
  });

  it('shows escape sequences as text, whatever they are in', async () => {
    const terminal = start('hostile');
    await terminal.until('[2/2]');
    expect(terminal.text()).toContain('␛]0;owned');
    await terminal.see('\r', 'BEGIN_REQUEST');
    for (const [key, wanted] of [
      ['2', /TWICE += two \(given 2 times so far\)/],
      ['3', 'in ␛]52;c;b3duZWQ=␇␛]0;owned␇␛[2J␛[3J␛[1;1H␍␈␈␈\\u202eabc\\u2066\\u009b31m'],
      ['4', 'out ␛]52;c;'],
      ['r', 'as it came'],
      ['r', 'hex dump'],
      ['5', 'err ␛]52;c;'],
      ['6', 'header    01 01'],
      ['7', 'advice ␛]52;c;'],
    ] as const) {
      await terminal.see(key, wanted);
      expectWhole(terminal);
      expect(terminal.alternate).toBe(true);
    }
    // What is text for a kilobyte may go on with NUL bytes.
    await terminal.see('3G', /␀␀␀/);
    await terminal.see('2', 'caf\\xe9 (not UTF-8)');
    expect(terminal.titles).toEqual([]);
    expect(terminal.clipboard).toEqual([]);
    expect(terminal.answers).toEqual([]);
    expect(terminal.bells).toBe(0);
    expect(terminal.raw).not.toMatch(/[\x07\b\0\u202e\u2066\u009b]|\x1b[\]c]|\x1b\[6n/);
  });

  it('never clears the screen after the start', async () => {
    const terminal = start('live');
    await terminal.until('/download/large.bin');
    await terminal.see('\r', 'BEGIN_REQUEST');
    for (const key of '1234567') {
      terminal.type(key);
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
    terminal.resize(90, 30);
    await terminal.see('q', /\[\d+\/\d+\]/);
    await terminal.see('\x0c', /\[\d+\/\d+\]/);
    expect(terminal.raw.split('\x1b[2J')).toHaveLength(2);
    expect(terminal.raw).not.toContain('\x1b[3J');
    expect(terminal.raw).not.toContain('\x1b[J');
  });

  it('can be read without colours', async () => {
    const terminal = start('mix', 120, 36, { NO_COLOR: '1' });
    await terminal.until('[60/60]');
    expect(terminal.coloured()).toBe(false);
    const row = terminal.rows().findIndex((text) => /^!? +60 /.test(text));
    expect(terminal.inverse(row, 10)).toBe(true);
    expect(terminal.inverse(row - 1, 10)).toBe(false);
  });

  it('gives the terminal back when the program crashes', async () => {
    const terminal = start('crash');
    await terminal.until('[3/3]');
    expect(await terminal.exited).toBe(7);
    await terminal.until('before');
    expect(terminal.alternate).toBe(false);
  });

  it('says what to do while nothing has come', async () => {
    const terminal = start('empty');
    await terminal.until('fastcgi_pass 127.0.0.1:9001;');
  });
});
