import type { ReactNode } from 'react';
import { helpSections } from '../keymap.js';
import { fit, type Line } from '../paint.js';
import type { ViewState } from '../view-store.js';
import { useDrawing } from './drawing-context.js';
import { Rows } from './Rows.js';

/** Every key that does something, made from the table that the keys are looked up in. */
export function Help({ state, height }: { state: ViewState; height: number }): ReactNode {
  const { painter } = useDrawing();
  const rows = helpLines()
    .slice(state.helpTop, state.helpTop + height)
    .map((line) => painter.row(line, state.columns));
  return <Rows rows={rows} width={state.columns} height={height} />;
}

const KEYS_WIDTH = 20;

export function helpLines(): Line[] {
  return helpSections().flatMap(({ title, entries }): Line[] => [
    [[` ${title}`, 'title']],
    ...entries.map(
      ({ keys, text }): Line => [
        [`   ${fit(keys, KEYS_WIDTH)}`, 'key'],
        [text, 'plain'],
      ],
    ),
    [],
  ]);
}
