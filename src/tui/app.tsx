import { Box } from 'ink';
import { type ReactNode, useSyncExternalStore } from 'react';
import { Detail } from './components/Detail.js';
import { type Drawing, DrawingContext } from './components/drawing-context.js';
import { FilterLine } from './components/FilterLine.js';
import { Help } from './components/Help.js';
import { RequestList } from './components/RequestList.js';
import { Rows } from './components/Rows.js';
import { StatusLines } from './components/StatusLines.js';
import { TitleLine } from './components/TitleLine.js';
import type { FrameSource } from './frame-clock.js';
import { layout, MIN_COLUMNS, MIN_ROWS } from './layout.js';
import type { ViewState } from './view-store.js';

export interface AppProps {
  /** Gives one state per frame, however often the store changes. */
  readonly frames: FrameSource;
  readonly drawing: Drawing;
}

export function App({ frames, drawing }: AppProps): ReactNode {
  const state = useSyncExternalStore(frames.subscribe, frames.state);
  return (
    <DrawingContext.Provider value={drawing}>
      <Whole state={state} />
    </DrawingContext.Provider>
  );
}

function Whole({ state }: { state: ViewState }): ReactNode {
  const { columns, rows } = state;
  const { tooSmall, list, detail, beside, body } = layout(state);
  if (tooSmall) return <TooSmall columns={columns} rows={rows} />;
  if (state.help)
    return (
      <Box flexDirection="column" height={rows}>
        <Help state={state} height={rows - 2} />
        <StatusLines state={state} />
      </Box>
    );
  return (
    <Box flexDirection="column" height={rows}>
      <TitleLine state={state} />
      <FilterLine state={state} />
      <Box flexDirection={beside ? 'row' : 'column'} height={body}>
        {list === null ? null : <RequestList state={state} area={list} />}
        {beside ? <Rows rows={Array<string>(body).fill('│')} width={1} height={body} /> : null}
        {detail === null ? null : <Detail state={state} area={detail} />}
      </Box>
      <StatusLines state={state} />
    </Box>
  );
}

/** Rows that cannot hold what they must are worse than none. */
function TooSmall({ columns, rows }: { columns: number; rows: number }): ReactNode {
  const lines = [
    'fcgi-inspect: this terminal is too small.',
    `It has ${columns}×${rows}; at least ${MIN_COLUMNS}×${MIN_ROWS} are needed.`,
    'The traffic goes on. Q quits.',
  ].map((line) => line.slice(0, columns).padEnd(columns));
  return <Rows rows={lines.slice(0, rows)} width={columns} height={Math.max(1, rows)} />;
}
