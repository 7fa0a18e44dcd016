import { Controller, Res, StreamableFile } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Export } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { GetExportBundleQuery } from '../../../application/exports/export-bundle.js';
import {
  GetExportQuery,
  ListExportsQuery,
  RequestExportCommand,
} from '../../../application/exports/export-handlers.js';
import type { Identity } from '../../../application/sessions/authentication.js';
import { Reads } from '../../../limits/reads.js';
import { exportAnswer } from '../../../wire/export-answer.js';
import type { Context } from '../../../write-side/mailbox.js';
import { ReadYourWrites } from '../../read-your-writes.js';
import { accepted } from '../../refusal.js';
import { By, Call, Input, type InputOf, NewId, Trace } from '../call.js';
import { type ListOf, listAnswer } from '../list-answer.js';
import { fileInParts } from './file-in-parts.js';

/** Exports and their bundles. */
@Controller()
export class ExportController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly reads: Reads,
    private readonly readYourWrites: ReadYourWrites,
  ) {}

  @Call('requestExport')
  async request(
    @Input('requestExport') { body }: InputOf<'requestExport'>,
    @By() { actor }: Identity,
    @NewId() id: string,
    @Trace() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ id: string }> {
    const { words, reason, ...scope } = body;
    const request = new RequestExportCommand(id, actor, scope, words, reason, context);
    const { position } = accepted(await this.commands.execute(request));
    await this.readYourWrites.written(position, reply);
    return { id };
  }

  @Call('listExports')
  async list(
    @Input('listExports') { query }: InputOf<'listExports'>,
    @By() { actor }: Identity,
  ): Promise<ListOf<'listExports'>> {
    return listAnswer(await this.queries.execute(new ListExportsQuery(actor, query)), exportAnswer);
  }

  @Call('getExport')
  async get(@Input('getExport') { params }: InputOf<'getExport'>, @By() { actor }: Identity): Promise<Export> {
    return exportAnswer(accepted(await this.queries.execute(new GetExportQuery(params.id, actor))));
  }

  @Call('getExportBundle')
  async bundle(
    @Input('getExportBundle') { params }: InputOf<'getExportBundle'>,
    @By() { actor }: Identity,
  ): Promise<StreamableFile> {
    const { length, content } = accepted(await this.queries.execute(new GetExportBundleQuery(params.id, actor)));
    const reader = this.reads.account(actor.id);
    return new StreamableFile(
      fileInParts(content(), (read) => this.reads.part(reader, read)),
      {
        type: 'application/x-tar',
        disposition: `attachment; filename="export-${params.id}.tar"`,
        length,
      },
    );
  }
}
