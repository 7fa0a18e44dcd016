import { Alert, Box, Card, CardContent, TableCell, TableRow, Typography } from '@mui/material';
import type { ReactNode } from 'react';
import { Title, useTranslate } from 'react-admin';
import { useNumber } from '../home/figure';
import { type Overview, useOverview } from '../home/overview';
import { Fact, Facts } from '../look/facts';
import { Failure } from '../look/failure';
import { KeepText } from '../look/keep-text';
import { Moment } from '../look/moment';
import { PlainTable } from '../look/plain-table';
import { codeOf } from '../service/failure';
import { useAge } from '../words/region';
import { useCheckpoint } from './published-log';
import { KeysElsewhere, useKeyOptions, useVerifierKeys } from './verifier-keys';

type Log = NonNullable<Overview['auditLog']>;

/** How far the log is signed and cosigned, and what auditors need to check it. */
export default function LogPage() {
  const translate = useTranslate();
  const overview = useOverview();
  const log = overview?.auditLog;
  const checkpoint = useCheckpoint([log?.published, log && newestOf(log)], log != null);
  const keys = useVerifierKeys();
  // The checkpoint is not published, or there is none yet.
  const absent = { not_found: 'verbatim.log.not_published', unavailable: 'verbatim.log.no_checkpoint' };
  return (
    <Box sx={{ p: { xs: 1, sm: 2 }, display: 'grid', gap: 2, gridTemplateColumns: 'minmax(0, 1fr)' }}>
      <Title title="resources.transparency.name" />
      <Typography color="textSecondary">{translate('verbatim.log.lead')}</Typography>
      {overview && !log && <Alert severity="info">{translate('verbatim.log.not_begun')}</Alert>}
      {log && <Signed log={log} />}
      {log && log.witnesses.length > 0 && <Witnesses log={log} />}
      {codeOf(checkpoint.error) === 'unavailable' || codeOf(checkpoint.error) === 'not_found' ? (
        <Alert severity="info">{translate(absent[codeOf(checkpoint.error) as keyof typeof absent])}</Alert>
      ) : (
        <Failure error={checkpoint.error} />
      )}
      {checkpoint.data && (
        <Part title="verbatim.log.checkpoint" lead="verbatim.log.checkpoint_text">
          <KeepText label={translate('verbatim.log.checkpoint')} text={checkpoint.data} fileName="checkpoint.txt" />
        </Part>
      )}
      {keys.length > 0 && <Keys keys={keys} />}
    </Box>
  );
}

function Part({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  const translate = useTranslate();
  return (
    <Card component="section" aria-label={translate(title)}>
      <CardContent>
        <Typography variant="h2">{translate(title)}</Typography>
        {lead && <Typography color="textSecondary">{translate(lead)}</Typography>}
        {children}
      </CardContent>
    </Card>
  );
}

function Signed({ log }: { log: Log }) {
  const { origin, size, published, belowQuorumSince, quorum, witnesses } = log;
  const translate = useTranslate();
  const number = useNumber();
  const age = useAge();
  const signed = witnesses.filter((witness) => witness.size > 0 && witness.size >= (published ?? size));
  const newest = newestOf(log);
  return (
    <Part title="verbatim.log.state">
      {belowQuorumSince && (
        <Alert severity="warning" sx={{ mt: 1 }}>
          {translate('verbatim.log.below_quorum')} <Moment at={belowQuorumSince} />
        </Alert>
      )}
      <Facts>
        <Fact label="verbatim.log.origin">{origin}</Fact>
        <Fact label="verbatim.log.size">{number(size)}</Fact>
        <Fact label="verbatim.log.published">{number(published ?? undefined)}</Fact>
        <Fact label="verbatim.log.quorum">{number(quorum)}</Fact>
        <Fact label="verbatim.log.cosigned">
          {witnesses.length === 0
            ? translate('verbatim.log.no_witnesses')
            : translate('verbatim.log.cosigned_by', { count: number(signed.length), all: number(witnesses.length) })}
        </Fact>
        {witnesses.length > 0 && (
          <Fact label="verbatim.log.newest_cosignature">
            {newest ? (
              <>
                <Moment at={newest} /> ({age(newest)})
              </>
            ) : (
              translate('verbatim.log.never')
            )}
          </Fact>
        )}
      </Facts>
    </Part>
  );
}

/** When a witness last cosigned. */
const newestOf = ({ witnesses }: Log): string | undefined =>
  witnesses
    .flatMap(({ cosignedAt }) => cosignedAt ?? [])
    .sort()
    .at(-1);

function Witnesses({ log: { witnesses } }: { log: Log }) {
  const translate = useTranslate();
  const number = useNumber();
  const age = useAge();
  const word = (name: string) => translate(`verbatim.log.${name}`);
  return (
    <Part title="verbatim.log.witnesses" lead="verbatim.log.witnesses_text">
      <PlainTable
        label={word('witnesses')}
        columns={[word('witness'), word('witness_size'), word('cosigned_at')]}
        empty=""
      >
        {witnesses.map(({ name, size, cosignedAt }) => (
          <TableRow key={name}>
            <TableCell component="th" scope="row">
              {name}
            </TableCell>
            <TableCell>{number(size)}</TableCell>
            <TableCell>
              {cosignedAt ? (
                <>
                  <Moment at={cosignedAt} /> ({age(cosignedAt)})
                </>
              ) : (
                word('never')
              )}
            </TableCell>
          </TableRow>
        ))}
      </PlainTable>
    </Part>
  );
}

function Keys({ keys }: { keys: readonly string[] }) {
  const translate = useTranslate();
  const command = `npm run cli -- log verify ${useKeyOptions('all')} --checkpoint checkpoint.txt`;
  return (
    <>
      <Part title="verbatim.log.keys" lead="verbatim.log.keys_text">
        <KeepText label={translate('verbatim.log.keys')} text={`${keys.join('\n')}\n`} fileName="verifier-keys.txt" />
      </Part>
      <Part title="verbatim.evidence.how" lead="verbatim.log.how">
        <KeepText label={translate('verbatim.evidence.command')} text={command} />
        <KeysElsewhere />
      </Part>
    </>
  );
}
