import { describe, expect, it } from 'vitest';
import { Screen } from '../../src/tui/screen.js';
import { FakeTerminal } from './fake-terminal.js';

describe('Screen', () => {
  it('writes the rows that differ, addressed absolutely, in one synchronized update', () => {
    const { terminal, screen } = started();
    screen.frame('one       \ntwo       \nthree     ');
    terminal.written.length = 0;
    screen.frame('one       \nTWO       \nthree     ');
    expect(terminal.written).toEqual(['\x1b[?2026h\x1b[2;1H\x1b[0mTWO\x1b[0m\x1b[K\x1b[?2026l']);
  });

  it('writes nothing for the same frame', () => {
    const { terminal, screen } = started();
    screen.frame('one');
    terminal.written.length = 0;
    screen.frame('one');
    expect(terminal.written).toEqual([]);
  });

  it('erases what a shorter frame leaves, and never the last cell of a full row', () => {
    const { terminal, screen } = started();
    screen.frame('0123456789\ntwo       ');
    expect(terminal.written.at(-1)).toContain('0123456789\x1b[0m\x1b[2;1H');
    screen.frame('0123456789');
    expect(terminal.written.at(-1)).toBe('\x1b[?2026h\x1b[2;1H\x1b[0m\x1b[0m\x1b[K\x1b[?2026l');
  });

  it('cuts a frame at the height of the terminal', () => {
    const { terminal, screen } = started();
    screen.frame('1\n2\n3\n4\n5\n6');
    expect(terminal.written.at(-1)).not.toContain('5');
  });

  it('keeps only the newest frame while the terminal does not drain, as a difference to what it shows', () => {
    const { terminal, screen, ready } = started();
    terminal.draining = false;
    screen.frame('a\nsame');
    expect(screen.ready).toBe(false);
    terminal.written.length = 0;
    screen.frame('b\nsame');
    screen.frame('c         \nsame');
    expect(terminal.written).toEqual([]);
    terminal.drain();
    expect(terminal.written).toEqual(['\x1b[?2026h\x1b[1;1H\x1b[0mc\x1b[0m\x1b[K\x1b[?2026l']);
    expect(screen.ready).toBe(true);
    expect(ready()).toBe(1);
  });

  it('stays blocked when the frame that was held back does not drain either', () => {
    const { terminal, screen, ready } = started();
    terminal.draining = false;
    screen.frame('a');
    screen.frame('b');
    terminal.drain({ again: false });
    expect(screen.ready).toBe(false);
    expect(ready()).toBe(0);
  });

  it('writes the whole newest frame when asked to', () => {
    const { terminal, screen } = started();
    screen.frame('one\ntwo');
    terminal.written.length = 0;
    screen.redraw();
    expect(terminal.written[0]).toContain('one');
    expect(terminal.written[0]).toContain('two');
  });

  it('gives the terminal back once, the alternate screen last, and is silent afterwards', () => {
    const { terminal, screen } = started();
    terminal.written.length = 0;
    screen.restore();
    screen.restore();
    screen.frame('late');
    screen.redraw();
    expect(terminal.written).toHaveLength(1);
    expect(terminal.written[0]!.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    expect(terminal.listeners).toBe(0);
  });
});

function started() {
  const terminal = new FakeTerminal(10, 4);
  let calls = 0;
  const screen = new Screen(terminal, () => calls++);
  screen.start();
  return { terminal, screen, ready: () => calls };
}
