import { Box, Text, Transform } from 'ink';
import { memo, type ReactNode } from 'react';

export interface RowProps {
  /** One terminal row, painted: at most `width` cells. */
  readonly text: string;
  readonly width: number;
}

/**
 * A row of the screen. The text goes in as a transformation of one constant character: the renderer keeps every string that it ever
 * measured, for ever, and a session shows millions of different rows. It is cut to its width already, so nothing is lost.
 */
export const Row = memo(function Row({ text, width }: RowProps): ReactNode {
  return (
    <Box width={width} height={1} flexShrink={0}>
      <Transform transform={() => text}>
        <Text>{'-'}</Text>
      </Transform>
    </Box>
  );
});
