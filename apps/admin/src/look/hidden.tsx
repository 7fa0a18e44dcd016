import { Tooltip, Typography } from '@mui/material';
import { useTranslate } from 'react-admin';

/** Replaces content that the person may not see. */
export function Hidden() {
  const translate = useTranslate();
  return (
    <Tooltip title={translate('verbatim.page.hidden_help')}>
      <Typography component="span" variant="inherit" color="textSecondary" sx={{ fontStyle: 'italic' }}>
        {translate('verbatim.page.hidden')}
      </Typography>
    </Tooltip>
  );
}
