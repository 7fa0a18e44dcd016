import MoreIcon from '@mui/icons-material/MoreVert';
import { IconButton, Menu, MenuItem, Tooltip } from '@mui/material';
import { useState } from 'react';
import { useTranslate } from 'react-admin';
import type { Said } from './conversation';

/** Actions on a message; absent if the person may not do them. */
export interface MessageActs {
  prove(said: Said): void;
  readonly redact?: (said: Said) => void;
  readonly erase?: (said: Said) => void;
}

/** Less common actions on a message. */
export function MessageMenu({ said, name, acts }: { said: Said; name: string; acts: MessageActs }) {
  const translate = useTranslate();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const choose = (act: (said: Said) => void) => () => {
    setAnchor(null);
    act(said);
  };
  return (
    <>
      <Tooltip title={translate('verbatim.talk.more')}>
        <IconButton
          size="small"
          aria-label={translate('verbatim.talk.more_about', { name })}
          aria-haspopup="menu"
          aria-expanded={anchor !== null}
          onClick={({ currentTarget }) => setAnchor(currentTarget)}
          sx={{ alignSelf: 'start' }}
        >
          <MoreIcon fontSize="small" />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <MenuItem onClick={choose(acts.prove)}>{translate('verbatim.message_proof.copy')}</MenuItem>
        {acts.erase && <MenuItem onClick={choose(acts.erase)}>{translate('verbatim.erasures.erase_message')}</MenuItem>}
      </Menu>
    </>
  );
}
