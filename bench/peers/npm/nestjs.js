// NestJS as its documentation builds it: a guard of @nestjs/passport with passport-jwt, a ValidationPipe with a DTO,
// HttpModule (axios) to the upstream. Decorators are applied as TypeScript would emit them, so no build step is needed.
// Its logger is the default one, which says nothing of requests; passport-jwt has no way to require exp.
import 'reflect-metadata'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { HttpModule, HttpService } from '@nestjs/axios'
import {
  Body,
  Controller,
  HttpException,
  Injectable,
  Module,
  Param,
  Post,
  Req,
  UseGuards,
  ValidationPipe
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport'
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  ValidateNested
} from 'class-validator'
import { ExtractJwt, Strategy } from 'passport-jwt'
import { catchError, firstValueFrom } from 'rxjs'
import { __decorate, __metadata, __param } from 'tslib'

const { PORT, UPSTREAM_URL, API_KEY, JWT_PUBLIC_KEY_FILE, JWT_ISSUER, JWT_AUDIENCE } = process.env

function property(target, name, type, decorators) {
  __decorate([...decorators, __metadata('design:type', type)], target.prototype, name, undefined)
}

class ReplyData {}
property(ReplyData, 'text', String, [IsOptional(), IsString(), IsNotEmpty()])
property(ReplyData, 'url', String, [IsOptional(), IsString()])
property(ReplyData, 'attachments', Array, [IsOptional(), IsArray(), ArrayMaxSize(10)])
property(ReplyData, 'customData', Object, [IsOptional(), IsObject()])
property(ReplyData, 'metadata', Object, [IsOptional(), IsObject()])

class CreateReplyDto {}
property(CreateReplyDto, 'receiver', String, [IsOptional(), IsString(), IsNotEmpty()])
property(CreateReplyDto, 'receiverType', String, [IsOptional(), IsIn(['user', 'group'])])
property(CreateReplyDto, 'category', String, [IsOptional(), IsIn(['message', 'custom'])])
property(CreateReplyDto, 'type', String, [IsOptional(), IsString(), IsNotEmpty()])
property(CreateReplyDto, 'data', ReplyData, [IsObject(), ValidateNested(), Type(() => ReplyData)])
property(CreateReplyDto, 'multipleReceivers', Object, [IsOptional(), IsObject()])
property(CreateReplyDto, 'tags', Array, [IsOptional(), IsString({ each: true }), ArrayMaxSize(25)])

let JwtStrategy = class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      ignoreExpiration: false,
      secretOrKey: readFileSync(JWT_PUBLIC_KEY_FILE, 'utf8'),
      algorithms: ['RS256'],
      issuer: JWT_ISSUER,
      audience: JWT_AUDIENCE
    })
  }

  validate(payload) {
    return { userId: payload.sub }
  }
}
JwtStrategy = __decorate([Injectable(), __metadata('design:paramtypes', [])], JwtStrategy)

let CometChatService = class CometChatService {
  #http

  constructor(http) {
    this.#http = http
  }

  async reply(parentId, userId, reply) {
    const headers = { apikey: API_KEY, onBehalfOf: userId }
    const path = `/v3/messages/${encodeURIComponent(parentId)}/thread`
    const { data } = await firstValueFrom(
      this.#http.post(path, reply, { headers }).pipe(
        catchError(error => {
          throw new HttpException(error.response?.data ?? 'Bad Gateway', error.response?.status ?? 502)
        })
      )
    )
    return data
  }
}
CometChatService = __decorate([Injectable(), __metadata('design:paramtypes', [HttpService])], CometChatService)

let RepliesController = class RepliesController {
  #cometChat

  constructor(cometChat) {
    this.#cometChat = cometChat
  }

  create(parentId, reply, request) {
    return this.#cometChat.reply(parentId, request.user.userId, reply)
  }
}
__decorate(
  [
    UseGuards(AuthGuard('jwt')),
    Post(':parentId/replies'),
    __param(0, Param('parentId')),
    __param(1, Body()),
    __param(2, Req()),
    __metadata('design:type', Function),
    __metadata('design:paramtypes', [String, CreateReplyDto, Object]),
    __metadata('design:returntype', Promise)
  ],
  RepliesController.prototype,
  'create',
  null
)
RepliesController = __decorate(
  [Controller('threads'), __metadata('design:paramtypes', [CometChatService])],
  RepliesController
)

let AppModule = class AppModule {}
AppModule = __decorate(
  [
    Module({
      imports: [
        PassportModule,
        HttpModule.register({ baseURL: UPSTREAM_URL, timeout: 5000, httpAgent: new Agent({ keepAlive: true }) })
      ],
      controllers: [RepliesController],
      providers: [JwtStrategy, CometChatService]
    })
  ],
  AppModule
)

const app = await NestFactory.create(AppModule)
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }))
await app.listen(Number(PORT), '127.0.0.1')
