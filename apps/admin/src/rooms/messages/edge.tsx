import { Box, Button, Typography } from '@mui/material';
import { useTranslate } from 'react-admin';

/** Where the entries shown end: there is more, or a sentence that there is not. */
export function Edge({ more, end, onMore }: { more: string | null; end: string; onMore(): void }) {
  const translate = useTranslate();
  return (
    <Box sx={{ textAlign: 'center', py: 1 }}>
      {more ? (
        <Button onClick={onMore}>{translate(more)}</Button>
      ) : (
        <Typography variant="body2" color="textSecondary">
          {translate(end)}
        </Typography>
      )}
    </Box>
  );
}
