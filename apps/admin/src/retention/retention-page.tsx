import AddIcon from '@mui/icons-material/Add';
import { Box, Card, CardContent, Stack, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Retention } from '@verbatim/protocol';
import { Title, useCanAccess, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { LOOK_AGAIN } from '../service/look-again';
import { DryRun } from './dry-run';
import { KeptBack } from './kept-back';
import { Pass } from './pass';
import { RuleButton } from './rule-dialog';
import { Rules } from './rules';

/** Milliseconds between two looks while texts are looked for or erased. */
const OFTEN_MS = 2_000;

/** For how long texts are kept, how far that is carried out, and what holds keep back. */
export default function RetentionPage() {
  const translate = useTranslate();
  const { data, error } = useQuery({
    queryKey: ['retention'],
    queryFn: () => shown(client.call('getRetention')),
    refetchInterval: ({ state }) => (state.data && isUnderWay(state.data) ? OFTEN_MS : LOOK_AGAIN()),
  });
  return (
    <Box sx={{ p: { xs: 1, sm: 2 }, display: 'grid', gap: 2 }}>
      <Title title="resources.retention.name" />
      <Typography color="textSecondary">{translate('verbatim.retention.lead')}</Typography>
      <Failure error={error} />
      {data && <Whole retention={data} />}
    </Box>
  );
}

const isUnderWay = ({ rules, waiting, pass }: Retention): boolean =>
  waiting > 0 || (rules.length > 0 && pass?.complete !== true);

function Whole({ retention }: { retention: Retention }) {
  const translate = useTranslate();
  const { canAccess } = useCanAccess({ resource: 'retention', action: 'create' });
  const { rules, pass } = retention;
  return (
    <>
      <Card component="section" aria-labelledby="rules">
        <CardContent>
          <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: 'wrap', justifyContent: 'space-between' }}>
            <Typography id="rules" variant="h2">
              {translate('verbatim.retention.rules')}
            </Typography>
            {canAccess && (
              <RuleButton label="verbatim.retention.new">
                <AddIcon />
              </RuleButton>
            )}
          </Stack>
          <Rules rules={rules} />
        </CardContent>
      </Card>
      {rules.length > 0 && (
        <Card component="section" aria-labelledby="pass">
          <CardContent>
            <Typography id="pass" variant="h2">
              {translate('verbatim.retention.now')}
            </Typography>
            <Pass retention={retention} />
            <KeptBack rooms={pass?.held ?? 0} />
            {canAccess && <DryRun />}
          </CardContent>
        </Card>
      )}
    </>
  );
}
