import { Box, Button, Typography } from '@mui/material';
import { type ComponentType, type FunctionComponent, useEffect, useState } from 'react';
import { Loading, useTranslate } from 'react-admin';

/** Milliseconds between two looks at whether the service is back. */
const AGAIN_MS = 2_000;
/** Milliseconds after a reload in which another one is pointless. */
const TOO_SOON_MS = 20_000;
const RELOADED = 'verbatim.reloaded';

/**
 * A page whose script is loaded when it is first opened. A script that cannot be loaded is asked for by no browser again, and
 * after an upgrade it has another name: so the whole dashboard is reloaded, at the same place, once the service answers.
 */
export function lazyPage<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): FunctionComponent<P> {
  let Loaded: ComponentType<P> | null = null;
  return function LazyPage(props: P) {
    const [state, setState] = useState<'loading' | 'loaded' | 'failed'>(Loaded ? 'loaded' : 'loading');
    useEffect(() => {
      if (Loaded) return;
      let here = true;
      load().then(
        (module) => {
          Loaded = module.default;
          if (here) setState('loaded');
        },
        () => here && setState('failed'),
      );
      return () => {
        here = false;
      };
    }, []);
    if (state === 'failed') return <Reloading />;
    return Loaded ? <Loaded {...props} /> : <Loading />;
  };
}

/** Reloads the dashboard as soon as the service answers. */
function Reloading() {
  const translate = useTranslate();
  const [helpless] = useState(reloadedLately);
  useEffect(() => (helpless ? undefined : reloadWhenBack()), [helpless]);
  return (
    <Box role="status" sx={{ p: 4, textAlign: 'center' }}>
      <Typography sx={{ mb: 2 }}>{translate(helpless ? 'verbatim.page.broken' : 'verbatim.page.waiting')}</Typography>
      <Button variant="outlined" onClick={() => location.reload()}>
        {translate('verbatim.page.reload')}
      </Button>
    </Box>
  );
}

const reloadedLately = (): boolean => Date.now() - Number(sessionStorage.getItem(RELOADED) ?? 0) < TOO_SOON_MS;

/** Returns a function that gives it up. */
export function reloadWhenBack(): () => void {
  const look = async () => {
    const answer = await fetch(location.pathname, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (!answer?.ok) return;
    clearInterval(timer);
    sessionStorage.setItem(RELOADED, `${Date.now()}`);
    location.reload();
  };
  const timer = setInterval(look, AGAIN_MS);
  void look();
  return () => clearInterval(timer);
}
