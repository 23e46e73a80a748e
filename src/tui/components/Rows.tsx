import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Row } from './Row.js';

export interface RowsProps {
  /** Painted rows from the top, each `width` wide; those that are missing up to `height` are empty. */
  readonly rows: readonly string[];
  readonly width: number;
  readonly height: number;
}

/** A stack of rows. They are keyed by their place: what scrolls changes texts, never the tree. */
export function Rows({ rows, width, height }: RowsProps): ReactNode {
  return (
    <Box flexDirection="column" width={1} height={height} flexShrink={0}>
      {Array.from({ length: height }, (_, place) => (
        <Row key={place} text={rows[place] ?? ' '.repeat(width)} />
      ))}
    </Box>
  );
}
