import { Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import { useTranslate } from 'react-admin';
import { shown } from '../service/failure';
import { textFrom } from '../service/file';
import { isOutage } from '../service/queries';

/** The verifier keys of the log, those of all times; empty as long as they are not known, and if the log is not published. */
export function useVerifierKeys(): readonly string[] {
  const { data } = useQuery({
    queryKey: ['audit log', 'keys'],
    queryFn: () => shown(textFrom('/audit/log/keys')),
    retry: (_, error) => isOutage(error),
    staleTime: 60_000,
  });
  return data?.split('\n').filter((line) => line !== '') ?? [];
}

/** What a key signs: checkpoints, or certificates and manifests, as shown by the end of its name. */
const purposes = {
  checkpoints: (key: string) => !key.includes('/certificates+'),
  certificates: (key: string) => key.includes('/certificates+'),
  all: () => true,
};

/** The keys as arguments of the verifying commands, or a placeholder if they are not known. */
export function useKeyOptions(purpose: keyof typeof purposes): string {
  const keys = useVerifierKeys().filter(purposes[purpose]);
  return (keys.length > 0 ? keys : ['<verifier key>']).map((key) => `--key '${key}'`).join(' ');
}

/** That keys from this server are no proof against this server. */
export function KeysElsewhere() {
  const translate = useTranslate();
  return <Typography color="textSecondary">{translate('verbatim.evidence.keys_elsewhere')}</Typography>;
}
