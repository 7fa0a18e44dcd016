import { Box, Typography } from '@mui/material';
import { Link, Title, useTranslate } from 'react-admin';

/** The page does not exist. `what` is the key of a sentence about what is missing. */
export function NotFound({ what = 'verbatim.page.not_found' }: { what?: string; title?: unknown }) {
  const translate = useTranslate();
  return (
    <Box sx={{ p: 4, textAlign: 'center' }}>
      <Title title="verbatim.page.not_found_title" />
      <Typography sx={{ mb: 2 }}>{translate(what)}</Typography>
      <Link to="/">{translate('verbatim.page.to_home')}</Link>
    </Box>
  );
}
