// Conditions. Every choice is made by the next token alone, so that the parser never has to look ahead; what that
// lets through (an empty place between two commas, a subscript after a blank) is refused when the tree is read.
// Rules are few and wide, since each costs a node of the parse tree.
parser grammar ConditionParser;

options { tokenVocab = ConditionLexer; }

condition : orExpr EOF;
orExpr    : andExpr (OR andExpr)*;
andExpr   : unary (AND unary)*;

unary
  : NOT unary
  | LPAREN orExpr RPAREN
  | EXISTS operand
  | operand (EXISTS | comparison)?
  ;

operand
  : NAME SUBSCRIPT?
  | TRANSFORMER LPAREN operand RPAREN
  | UNSUPPORTED arguments RPAREN
  ;

comparison
  : ORDER_OP (QUOTED | BARE | call | list)
  | TEXT_OP (QUOTED | BARE | call | list | quantified)
  | LIST_OP (BARE | call | list)
  ;

call
  : VAL NAME SUBSCRIPT? RPAREN
  | CALL operand RPAREN
  | CALL_UNSUPPORTED arguments RPAREN
  ;

quantified : QUANTIFIER_ROUND items? RPAREN | QUANTIFIER_SQUARE items? RBRACK;
list       : LPAREN items? RPAREN | LBRACK items? RBRACK;
items      : (QUOTED | BARE | list) (COMMA (QUOTED | BARE | list)?)*;

arguments : (ARGUMENT | LPAREN arguments RPAREN)*;
