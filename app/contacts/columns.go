package contacts

import (
	"strings"
	"unicode"
)

// Role is what a column of a table is used for.
type Role string

// The roles. A field keeps its header as its name; phone and QQ columns become fields too.
const (
	RoleEmail  Role = "email"
	RoleName   Role = "name"
	RoleQQ     Role = "qq"
	RolePhone  Role = "phone"
	RoleField  Role = "field"
	RoleIgnore Role = "ignore"
)

// Roles lists the roles, in the order of a menu.
func Roles() []Role {
	return []Role{RoleEmail, RoleName, RoleQQ, RolePhone, RoleField, RoleIgnore}
}

// Column is one column of a table: its header as it stands, or its letter where there is none.
type Column struct {
	Header string
	Role   Role
}

// Parts of a name that stand in columns of their own.
const (
	partNone = iota
	partGiven
	partFamily
)

var headerRoles = func() map[string]Role {
	m := map[string]Role{}
	for role, words := range map[Role]string{
		RoleEmail: `邮箱 邮箱地址 电子邮箱 电子邮箱地址 电子邮件 电子邮件地址 邮件 邮件地址 电邮 电邮地址 信箱 邮址 邮箱账号 邮箱帐号 联系邮箱 常用邮箱 个人邮箱
			工作邮箱 公司邮箱 客户邮箱 收件人邮箱 收件邮箱 qq邮箱 注册邮箱 邮箱email email邮箱 邮箱1 邮箱2 电子邮件1 电子邮件2 郵箱 電郵 電郵地址 電子郵件
			電子郵件地址 電子郵箱 電子信箱 メール メールアドレス 電子メール email emails mail e-mail emailaddress emailaddresses
			mailaddress email1 email2 email3 emailid useremail contactemail primaryemail workemail homeemail e-mailaddress
			email1value email2value email3value email4value email2address email3address personalemail businessemail correo courriel
			emailadresse secondaryemail alternateemail otheremail homeemailaddress workemailaddress useremailaddress correoelectronico
			adressemail adresseemail mailadresse 邮箱号 邮箱号码 电子邮箱号 买家邮箱 会员邮箱 学生邮箱 家长邮箱 联系人邮箱 联系邮件 联系人电子邮箱 이메일 메일
			почта`,
		RoleQQ: `qq qq号 qq号码 qq帐号 qq账号 qq账户 qqnumber qqno qqid 扣扣 扣扣号 企鹅号 企鹅 q号 qq號 qq號碼 oicq 联系qq 客户qq`,
		RoleName: `姓名 名字 名称 称呼 联系人 联系人姓名 客户 客户姓名 客户名称 收件人 收件人姓名 成员 成员姓名 学生姓名 员工姓名 会员姓名 会员 用户名 用户姓名 真实姓名
			中文名 全名 名稱 聯絡人 聯繫人 稱呼 氏名 名前 name fullname displayname contactname contact customername customer
			recipient username nombre nom buyername 收货人 收货人姓名 买家姓名 联系人名称 学员姓名 家长姓名 嘉宾姓名 报名人 报名人姓名 이름 имя`,
		RolePhone: `手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 移动电话 固定电话 座机 固话 办公电话 家庭电话 传真 手機 手機號碼 電話 電話番号 携帯 携帯電話
			phone phonenumber mobile mobilephone mobilenumber cell cellphone tel telephone fax homephone businessphone workphone
			phone1value phone2value contactnumber whatsapp 联系手机 联系人手机 联系人电话 收货人手机 买家手机 商务电话 住宅电话 微信号 telefon telefono telefone handy`,
	} {
		for _, w := range strings.Fields(words) {
			m[headerKey(w)] = role
		}
	}
	return m
}()

// secondNames are names that stand in for a missing one, and stay fields beside a better one.
var secondNames = map[string]bool{}

// nameParts are headers of half a name.
var nameParts = map[string]int{}

func init() {
	for _, w := range strings.Fields(`昵称 群昵称 群名片 网名 暱稱 nickname nick 公司 公司名称 单位 company organization organisation`) {
		secondNames[headerKey(w)] = true
	}
	for _, w := range strings.Fields(`名 firstname givenname first given vorname prénom prenom`) {
		nameParts[headerKey(w)] = partGiven
	}
	for _, w := range strings.Fields(`姓 姓氏 lastname familyname surname last family nachname apellido apellidos nomdefamille`) {
		nameParts[headerKey(w)] = partFamily
	}
}

// headerKey brings a header to the form in which it is looked up: folded, in lower case, letters and digits
// only, without a remark in brackets.
func headerKey(s string) string {
	s = strings.ToLower(fold(s))
	if i := strings.IndexAny(s, "(["); i > 0 {
		s = s[:i]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// headerRole gives the role that a header names, or "".
func headerRole(s string) Role {
	if len(s) > 120 {
		return ""
	}
	k := headerKey(s)
	if r := roleOfKey(k); r != "" {
		return r
	}
	// 2、您的邮箱：, 电子邮件 2 地址, E-mail 3
	bare := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, k)
	asked := bare
	for _, ask := range asking {
		asked = strings.TrimPrefix(asked, ask)
	}
	if asked == "" || asked == k || len(k)-len(bare) > 2 {
		return ""
	}
	role := roleOfKey(asked)
	if role == RoleQQ && asked == bare {
		return "" // QQ12 is a nickname
	}
	return role
}

// asking are words with which forms ask for something.
var asking = []string{"请输入", "请填写", "请留下", "请问", "填写", "您的", "你的", "whatisyour", "whatsyour", "enteryour", "your"}

func roleOfKey(k string) Role {
	if r := headerRoles[k]; r != "" {
		return r
	}
	if nameParts[k] != partNone {
		return RoleName
	}
	return ""
}

// columnLetter names column i as spreadsheets do: A, B, ... Z, AA.
func columnLetter(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}
